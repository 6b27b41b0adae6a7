"""The family without a training: its images are looked at once."""

from typing import Any

from models.generators.families import Collection
from pipeline.training.generator import GeneratorRun, RunInputs, Terms


class CollectionRun(GeneratorRun):
    """See GeneratorRun; the images are those that will be drawn."""

    def __init__(self, variant: Collection, given: RunInputs) -> None:
        variant.generator.register_buffer("images", given.images)
        super().__init__(variant, variant.generator, given)

    remedy = "give other images"

    def parts(self) -> dict[str, Any]:
        return {}

    def step(self) -> Terms:
        self.images_seen = self.train.images
        return {}
