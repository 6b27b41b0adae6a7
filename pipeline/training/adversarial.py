"""The steps of the adversarial family: the discriminator's, then the generator's."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrize import cached, is_parametrized

from models.augment import diff_augment
from models.generators.families import Adversarial
from models.losses import lecam_loss
from pipeline.training.ema import ema_decay, frozen_copy, measure_batch_norms, update_ema
from pipeline.training.generator import GeneratorRun, Remembering, RunInputs, Terms, mean_logits, optimizer_step

MEASURED = 64  # images of each batch by which batch-norm statistics are measured


class AdversarialRun(GeneratorRun):
    """See GeneratorRun."""

    def __init__(self, variant: Adversarial, given: RunInputs) -> None:
        super().__init__(variant, variant.generator, given)
        self.variant: Adversarial = variant
        self.placed(variant.discriminator)
        optimizers = variant.training.optimizers(variant.generator, variant.discriminator)
        self.generator_optimizer, self.discriminator_optimizer = optimizers
        self.averages = LogitAverages().to(self.device)
        self.augment = diff_augment(self.train.diff_augment)

    def parts(self) -> dict[str, Any]:
        return {
            "generator": self.variant.generator,
            "discriminator": self.variant.discriminator,
            "generator_optimizer": self.generator_optimizer,
            "discriminator_optimizer": self.discriminator_optimizer,
            "averages": self.averages,
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

    def drawing(self) -> nn.Module:
        """The averaged generator with batch-norm statistics of its own, in eval mode."""
        generator, device = frozen_copy(self.ema), self.device
        rng = torch.Generator(device).manual_seed(0)  # not the training's: looking must change nothing

        def forward() -> None:
            labels = self.told[torch.randint(len(self.told), (MEASURED,), generator=rng, device=device)]
            generator(self.variant.latents(MEASURED, rng), labels)

        measure_batch_norms(generator, forward)
        return generator

    def labelled_batch(self) -> tuple[Tensor, Tensor]:
        images, chosen = self.next_batch()
        return images, self.told[chosen]

    def fake(self, labels: Tensor) -> Tensor:
        return self.variant.generator(self.latents(), labels).float()


def discriminator_step(run: AdversarialRun) -> Terms:
    """One step of the discriminator; real and fake pass through it apart, so batch norm never mixes them."""
    real, labels = run.labelled_batch()
    discriminator = augmented(run)
    with cached():
        _compute_weights(run.variant.discriminator)
        with run.autocast():
            with torch.no_grad():
                fake = run.fake(labels)
            losses = run.variant.discriminator_loss(discriminator, real, fake, labels)
            logits = [each.view(len(each), -1)[:, 0] for each in discriminator.logits]  # the first says real
            losses |= lecam(run, *logits)
        due = run.images_seen // run.train.batch_size % run.variant.penalty_interval == 0
        penalties = run.variant.penalty(discriminator, real, fake, labels, run.rng) if due else {}
    weights = dict.fromkeys(penalties, run.variant.penalty_interval)
    terms = optimizer_step(
        losses | penalties, run.variant.discriminator, run.discriminator_optimizer, "discriminator", run.ranks, weights
    )
    run.variant.after_discriminator_step(run.variant.discriminator)
    return terms | mean_logits(*logits)


def generator_step(run: AdversarialRun) -> Terms:
    """One step of the generator on a fresh fake batch."""
    real, labels = run.labelled_batch()
    run.variant.discriminator.requires_grad_(False)
    with cached():
        _compute_weights(run.variant.discriminator)
        with run.autocast():
            losses = run.variant.generator_loss(augmented(run), real, run.fake(labels), labels)
    terms = optimizer_step(losses, run.variant.generator, run.generator_optimizer, "generator", run.ranks)
    run.variant.discriminator.requires_grad_(True)
    return terms


def _compute_weights(network: nn.Module) -> None:
    """Fills the cache of parametrised weights in float32: under autocast spectral norms would be estimated in bf16."""
    for layer in network.modules():
        if is_parametrized(layer, "weight"):
            layer.weight  # noqa: B018


def augmented(run: AdversarialRun) -> Remembering:
    """The discriminator behind differentiable augmentation."""
    return Remembering(lambda images, labels: run.variant.discriminator(run.augment(images, run.rng), labels))


class LogitAverages(nn.Module):
    """Moving averages of the mean logits of real and of fake images. Source: Tseng et al. 2021, section 3.2.

    Differs from the paper: the first are not averaged with zeros.
    """

    means: Tensor
    count: Tensor
    DECAY = 0.99

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("means", torch.zeros(2))
        self.register_buffer("count", torch.zeros(()))

    def update(self, means: Tensor) -> None:
        self.count += 1
        weight = (1 / self.count).clamp(min=1 - self.DECAY)
        self.means.lerp_(means, weight)


def lecam(run: AdversarialRun, real: Tensor, fake: Tensor) -> Terms:
    """Each side's logits are held to the other side's average. Source: Tseng et al. 2021, eq. 4."""
    weight = run.variant.training.lecam_weight
    if not weight:
        return {}
    run.averages.update(run.ranks.mean(torch.stack([real.detach().mean(), fake.detach().mean()])))
    of_real, of_fake = run.averages.means.unbind()
    return {"lecam": weight * (lecam_loss(real, of_fake) + lecam_loss(fake, of_real))}
