"""The family without a training: its images are looked at once."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

from torch import Tensor

from models.generators.families import Collection
from pipeline.params.gan import GanTrainParams
from pipeline.training.generator import GeneratorRun, Terms


class CollectionRun(GeneratorRun):
    """See GeneratorRun; the images are those that will be drawn."""

    def __init__(
        self,
        variant: Collection,
        images: Tensor,
        told: Tensor,
        train: GanTrainParams,
        seed: int,
        autocast: Callable[[], AbstractContextManager[None]],
    ) -> None:
        variant.generator.register_buffer("images", images)
        super().__init__(variant, variant.generator, images, told, train, seed, autocast)

    def parts(self) -> dict[str, Any]:
        return {}

    def step(self) -> Terms:
        self.images_seen = round(self.train.kimg * 1000)
        return {}
