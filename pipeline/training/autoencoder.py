"""The steps of the autoencoder family."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Adam

from models.augment import diff_augment
from models.generators.codes import CodeGenerator
from models.generators.families import Autoencoder
from pipeline.params.gan import GanTrainParams
from pipeline.training.batches import to_unit_range
from pipeline.training.ema import ema_decay, update_ema
from pipeline.training.generator import GeneratorRun, Terms, optimizer_step

CODED_AT_ONCE = 256


class AutoencoderRun(GeneratorRun):
    """See GeneratorRun. Images are augmented before they are coded, and the same images are to come back."""

    def __init__(
        self,
        variant: Autoencoder,
        images: Tensor,
        told: Tensor,
        train: GanTrainParams,
        seed: int,
        autocast: Callable[[], AbstractContextManager[None]],
    ) -> None:
        self.network = nn.ModuleDict({"encoder": variant.encoder, "decoder": variant.generator})
        super().__init__(variant, self.network, images, told, train, seed, autocast)
        self.variant: Autoencoder = variant
        self.optimizer = Adam(self.network.parameters(), variant.learning_rate, variant.betas)
        self.augment = diff_augment(train.diff_augment)

    def parts(self) -> dict[str, Any]:
        return {"network": self.network, "optimizer": self.optimizer}

    def step(self) -> Terms:
        images = self.augment(self.next_batch()[0], self.rng)
        with self.autocast():
            losses = self.variant.loss(self.variant.encoder, self.variant.generator.decode, images, self.rng)
        terms = optimizer_step(losses, self.network, self.optimizer, "autoencoder")
        self.images_seen += self.train.batch_size
        decay = ema_decay(self.train.batch_size, self.images_seen, self.train.ema_kimg)
        update_ema(self.ema, self.network, decay)
        return terms

    @torch.no_grad()
    def drawing(self) -> nn.Module:
        """The averaged decoder, with the distribution of codes that it is to draw from."""
        encoder, decoder = self.ema.get_submodule("encoder"), self.ema.get_submodule("decoder")
        assert isinstance(decoder, CodeGenerator)
        decoder.fit(torch.cat([encoder(to_unit_range(batch)) for batch in self.images.split(CODED_AT_ONCE)]))
        return decoder
