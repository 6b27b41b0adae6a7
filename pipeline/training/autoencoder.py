"""The autoencoder family's loss, and the codes that it draws from."""

import torch
from torch import Tensor, nn

from models.augment import diff_augment
from models.generators.codes import CodeGenerator
from models.generators.families import Autoencoder
from pipeline.training.batches import to_unit_range
from pipeline.training.generator import RunInputs, Terms
from pipeline.training.one_network import OneNetworkRun

CODED_AT_ONCE = 256


class AutoencoderRun(OneNetworkRun):
    """See GeneratorRun. Images are augmented before they are coded, and the same images are to come back."""

    def __init__(self, variant: Autoencoder, given: RunInputs) -> None:
        augment = diff_augment(given.train.diff_augment)
        super().__init__(variant, "autoencoder", variant.generator, variant.training, augment, given)
        self.variant: Autoencoder = variant

    def losses(self, images: Tensor) -> Terms:
        return self.variant.loss(self.variant.generator.encoder, self.variant.generator.decode, images, self.rng)

    @torch.no_grad()
    def drawing(self) -> nn.Module:
        """The average, with the distribution of codes that it is to draw from."""
        assert isinstance(self.ema, CodeGenerator)
        batches = (to_unit_range(batch.to(self.device)) for batch in self.images.split(CODED_AT_ONCE))
        self.ema.fit(torch.cat([self.ema.encode(batch) for batch in batches]))
        return self.ema
