"""The diffusion family's loss."""

from collections.abc import Callable
from contextlib import AbstractContextManager

from torch import Tensor

from models.augment import symmetries
from models.generators.families import Diffusion
from pipeline.params.gan import GanTrainParams
from pipeline.training.generator import Terms
from pipeline.training.one_network import OneNetworkRun


class DiffusionRun(OneNetworkRun):
    """See GeneratorRun. Images are turned only: what else is done to them it would learn to draw."""

    def __init__(
        self,
        variant: Diffusion,
        images: Tensor,
        told: Tensor,
        train: GanTrainParams,
        seed: int,
        autocast: Callable[[], AbstractContextManager[None]],
    ) -> None:
        turned = symmetries(train.diff_augment)
        super().__init__(
            variant, "denoiser", variant.generator, variant.training, turned, images, told, train, seed, autocast
        )
        self.variant: Diffusion = variant

    def losses(self, images: Tensor) -> Terms:
        return self.variant.loss(images, self.rng)
