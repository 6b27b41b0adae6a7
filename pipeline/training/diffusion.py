"""The diffusion family's loss."""

from torch import Tensor

from models.augment import symmetries
from models.generators.families import Diffusion
from pipeline.training.generator import RunInputs, Terms
from pipeline.training.one_network import OneNetworkRun


class DiffusionRun(OneNetworkRun):
    """See GeneratorRun. Images are turned only: what else is done to them it would learn to draw."""

    def __init__(self, variant: Diffusion, given: RunInputs) -> None:
        turned = symmetries(given.train.diff_augment)
        super().__init__(variant, "denoiser", variant.generator, variant.training, turned, given)
        self.variant: Diffusion = variant

    def losses(self, images: Tensor) -> Terms:
        return self.variant.loss(images, self.rng)
