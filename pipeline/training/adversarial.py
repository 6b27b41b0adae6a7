"""The steps of the adversarial family: the discriminator's, then the generator's."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrize import cached, is_parametrized
from torch.optim import Adam

from models.augment import diff_augment
from models.generators.families import Adversarial
from pipeline.params.gan import GanTrainParams
from pipeline.training.ema import ema_decay, update_ema
from pipeline.training.generator import GeneratorRun, Terms, optimizer_step


class AdversarialRun(GeneratorRun):
    """See GeneratorRun."""

    def __init__(
        self,
        variant: Adversarial,
        images: Tensor,
        labels: Tensor,
        train: GanTrainParams,
        seed: int,
        autocast: Callable[[], AbstractContextManager[None]],
    ) -> None:
        super().__init__(variant, variant.generator, images, labels, train, seed, autocast)
        self.variant: Adversarial = variant
        self.placed(variant.discriminator)
        for_generator, for_discriminator = variant.learning_rates
        self.generator_optimizer = Adam(variant.generator.parameters(), for_generator, variant.betas)
        self.discriminator_optimizer = Adam(variant.discriminator.parameters(), for_discriminator, variant.betas)
        self.augment = diff_augment(train.diff_augment)

    def parts(self) -> dict[str, Any]:
        return {
            "generator": self.variant.generator,
            "discriminator": self.variant.discriminator,
            "generator_optimizer": self.generator_optimizer,
            "discriminator_optimizer": self.discriminator_optimizer,
        }

    def step(self) -> Terms:
        before = self.images_seen
        terms: Terms = {}
        for _ in range(self.variant.n_critic):
            terms |= discriminator_step(self)
            self.images_seen += self.train.batch_size
        terms |= generator_step(self)
        decay = ema_decay(self.images_seen - before, self.images_seen, self.train.ema_kimg)
        update_ema(self.ema, self.variant.generator, decay)
        return terms

    def fake(self, labels: Tensor) -> Tensor:
        return self.variant.generator(self.variant.latents(len(labels), self.rng), labels).float()


def discriminator_step(run: AdversarialRun) -> Terms:
    """One step of the discriminator; real and fake pass through it apart, so batch norm never mixes them."""
    real, labels = run.next_batch()
    discriminator = _Augmented(run)
    with cached():
        _compute_weights(run.variant.discriminator)
        with run.autocast():
            with torch.no_grad():
                fake = run.fake(labels)
            losses = run.variant.discriminator_loss(discriminator, real, fake, labels)
        due = run.images_seen // run.train.batch_size % run.variant.penalty_interval == 0
        penalties = run.variant.penalty(discriminator, real, fake, labels, run.rng) if due else {}
    weights = dict.fromkeys(penalties, run.variant.penalty_interval)
    terms = optimizer_step(
        losses | penalties, run.variant.discriminator, run.discriminator_optimizer, "discriminator", weights
    )
    run.variant.after_discriminator_step(run.variant.discriminator)
    return terms | {"real_logits": discriminator.means[0], "fake_logits": discriminator.means[1]}


def generator_step(run: AdversarialRun) -> Terms:
    """One step of the generator on a fresh fake batch."""
    real, labels = run.next_batch()
    run.variant.discriminator.requires_grad_(False)
    with cached():
        _compute_weights(run.variant.discriminator)
        with run.autocast():
            losses = run.variant.generator_loss(_Augmented(run), real, run.fake(labels), labels)
    terms = optimizer_step(losses, run.variant.generator, run.generator_optimizer, "generator")
    run.variant.discriminator.requires_grad_(True)
    return terms


def _compute_weights(network: nn.Module) -> None:
    """Fills the cache of parametrised weights in float32: under autocast spectral norms would be estimated in bf16."""
    for layer in network.modules():
        if is_parametrized(layer, "weight"):
            layer.weight  # noqa: B018


class _Augmented:
    """The discriminator behind differentiable augmentation; remembers the mean logit of each call."""

    def __init__(self, run: AdversarialRun) -> None:
        self._run = run
        self.means: list[Tensor] = []

    def __call__(self, images: Tensor, labels: Tensor) -> Tensor:
        logits = self._run.variant.discriminator(self._run.augment(images, self._run.rng), labels).float()
        self.means.append(logits.detach().view(len(logits), -1)[:, 0].mean())
        return logits
