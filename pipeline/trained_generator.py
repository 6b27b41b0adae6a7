"""A trained generator: its checkpoint directory in, packed images out."""

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from models.augment import symmetries
from models.generators import build_variant
from pipeline.checkpoints import load_weights, read_built_with
from pipeline.conditions import Conditions
from pipeline.errors import InputError
from pipeline.training.batches import to_uint8

BUILT_WITH = ("variant", "image_size", "channels", "conditions", "settings", "diff_augment")


class TrainedGenerator:
    """Draws images of one class.

    Args:
        directory: data/checkpoints/gan/<class>/<seed>.

    Raises:
        InputError: if it holds no generator of this version.
    """

    def __init__(self, directory: Path, device: torch.device) -> None:
        built = read_built_with(directory)
        absent = [key for key in BUILT_WITH if key not in built]
        if absent:
            raise InputError(
                f"{directory} has no {absent[0]}, so it is no generator's; give data/checkpoints/gan/<class>/<seed>"
            )
        self._device = device
        self._conditions = Conditions(**built["conditions"])
        self._turned = symmetries(built["diff_augment"])
        self._variant = build_variant(
            built["variant"],
            image_size=built["image_size"],
            channels=built["channels"],
            classes=len(self._conditions.names),
            **built["settings"],
        )
        load_weights(directory, self._variant.generator)
        self._variant.generator.to(device).eval()

    def draw(self, count: int, rng: torch.Generator) -> NDArray[np.uint8]:
        """Images (count, H, W, C), turned as the training images were.

        Args:
            rng: on the CPU, so that every device draws the same latents.
        """
        labels = self._conditions.draw(count, rng, self._device)
        return to_uint8(self._turned(self._variant.sample(labels, rng), rng))
