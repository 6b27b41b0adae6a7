"""The steps of a generator that trains without an opponent: one network, one optimizer, one loss."""

from abc import abstractmethod
from typing import Any

from torch import Tensor, nn
from torch.optim import Adam

from models.augment import Augmentation
from models.generators.families import Family, OneRate
from pipeline.training.ema import ema_decay, update_ema
from pipeline.training.generator import GeneratorRun, RunInputs, Terms, optimizer_step


class OneNetworkRun(GeneratorRun):
    """See GeneratorRun.

    Args:
        name: of the network in the curve.
        augment: done to the images before the loss sees them.
    """

    def __init__(
        self,
        variant: Family,
        name: str,
        network: nn.Module,
        training: OneRate,
        augment: Augmentation,
        given: RunInputs,
    ) -> None:
        super().__init__(variant, network, given)
        self.name, self.network, self.augment = name, network, augment
        betas = (training.beta1, training.beta2)
        self.optimizer = Adam(network.parameters(), training.learning_rate, betas, fused=True)

    @abstractmethod
    def losses(self, images: Tensor) -> Terms:
        """Named terms of images (N, C, H, W) in [-1, 1], one value per sample each, (N,)."""

    def parts(self) -> dict[str, Any]:
        return {"network": self.network, "optimizer": self.optimizer}

    def step(self) -> Terms:
        images = self.augment(self.next_batch()[0], self.rng)
        with self.autocast():
            losses = self.losses(images)
        terms = optimizer_step(losses, self.network, self.optimizer, self.name, self.ranks)
        self.images_seen += self.train.batch_size
        update_ema(self.ema, self.network, ema_decay(self.train.batch_size, self.images_seen, self.train.ema_kimg))
        return terms
