"""What chooses a generator's checkpoint: its images beside the validation images, in feature space."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from pipeline.feature_space import FeatureSpace
from pipeline.metrics.distribution import kid, prdc
from pipeline.training.batches import to_uint8

SAMPLES, BATCH_SIZE = 512, 64
NEIGHBOURS = 5  # of recall; fewer where there are fewer validation images


class ValidationLook:
    """Always the same latents and validation images, so that only the generator makes a difference.

    Args:
        validation: (N, H, W, C), the class's validation images at the generator's size.
        latents: (SAMPLES, Z).
        labels: (SAMPLES,).

    Attributes:
        real: (N, D), the features of the validation images.
        images: (SAMPLES, H, W, C), drawn at the last look.
    """

    def __init__(self, space: FeatureSpace, validation: NDArray[np.uint8], latents: Tensor, labels: Tensor) -> None:
        self._space, self._latents, self._labels = space, latents, labels
        self.real = torch.from_numpy(space.features(validation))
        self.images: NDArray[np.uint8] = validation[:0]

    @torch.no_grad()
    def __call__(self, generator: nn.Module) -> dict[str, float]:
        """The KID and the recall of what a generator draws. Takes it in eval mode."""
        batches = zip(self._latents.split(BATCH_SIZE), self._labels.split(BATCH_SIZE), strict=True)
        self.images = np.concatenate([to_uint8(generator(*batch)) for batch in batches])
        real, drawn = self.real.numpy(), self._space.features(self.images)
        neighbours = min(NEIGHBOURS, len(real) - 1)
        return {"val_kid": kid(real, drawn).value, "val_recall": prdc(real, drawn, neighbours).recall}
