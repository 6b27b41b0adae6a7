"""A trained generator: its checkpoint directory in, packed images out."""

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from models.generators import build_variant
from models.generators.families import Collection, Translator
from pipeline.checkpoints import load_weights, read_built_with
from pipeline.conditions import Conditions, Numbers
from pipeline.errors import InputError
from pipeline.sources import Sources, read_sources
from pipeline.training.batches import to_uint8

BUILT_WITH = ("variant", "image_size", "channels", "conditions", "sources", "settings", "diff_augment")


class TrainedGenerator:
    """Draws images of one class.

    Args:
        directory: data/checkpoints/gan/<class>/<seed>.

    Attributes:
        variant: with the trained networks, in eval mode.

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
        conditions = Conditions(**built["conditions"])
        self.variant = build_variant(
            built["variant"],
            image_size=built["image_size"],
            channels=built["channels"],
            classes=len(conditions.names),
            **built["settings"],
        )
        load_weights(directory, self.variant.generator)
        self.variant.generator.to(device).eval()
        self._turned = self.variant.turns(built["diff_augment"])
        self._told: Conditions | Numbers | Sources = conditions
        if isinstance(self.variant, Translator):
            self._told = read_sources(self.variant.sources, built["sources"], built["image_size"], device)
        elif isinstance(self.variant, Collection):
            self._told = Numbers(built["training_images"])

    def draw(self, count: int, rng: torch.Generator) -> NDArray[np.uint8]:
        """Images (count, H, W, C), turned as the training images were; fewer where no more were made.

        Args:
            rng: on the CPU, so that every device draws the same latents.
        """
        told = self._told.draw(count, rng, self._device)
        return to_uint8(self._turned(self.variant.sample(told, rng), rng))
