"""What chooses a generator's checkpoint: its images beside the validation images, in feature space."""

from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from models.augment import Augmentation
from models.generators.families import Family
from pipeline.feature_space import FeatureSpace
from pipeline.metrics.distribution import kid, prdc
from pipeline.training.batches import to_uint8

SAMPLES, BATCH_SIZE = 512, 64
NEIGHBOURS = 5  # of recall; fewer where there are fewer validation images


class ValidationLook:
    """Always the same latents, turns and validation images, so that only the generator makes a difference.

    Args:
        validation: (N, H, W, C), the class's validation images at the generator's size.
        variant: draws the images, with the weights that are looked at.
        told: (SAMPLES, ...): what the generator is told of each image that it draws.
        turned: done to every image drawn, as ``synthesize`` does.

    Attributes:
        real: (N, D), the features of the validation images.
        images: (SAMPLES, H, W, C), drawn at the last look.
    """

    def __init__(
        self,
        space: FeatureSpace,
        validation: NDArray[np.uint8],
        variant: Family,
        told: Tensor,
        turned: Augmentation,
        seed: int,
    ) -> None:
        self._space, self._variant, self._told, self._turned, self._seed = space, variant, told, turned, seed
        self.real = torch.from_numpy(space.features(validation))
        self.images: NDArray[np.uint8] = validation[:0]

    def __call__(self, generator: nn.Module) -> dict[str, float]:
        """The KID and the recall of what a generator draws. Takes it in eval mode."""
        variant, rng = replace(self._variant, generator=generator), torch.Generator().manual_seed(self._seed)
        batches = [self._turned(variant.sample(told, rng), rng) for told in self._told.split(BATCH_SIZE)]
        self.images = np.concatenate([to_uint8(batch) for batch in batches])
        real, drawn = self.real.numpy(), self._space.features(self.images)
        neighbours = min(NEIGHBOURS, len(real) - 1)
        return {"val_kid": kid(real, drawn).value, "val_recall": prdc(real, drawn, neighbours).recall}
