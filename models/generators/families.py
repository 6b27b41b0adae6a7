"""What a generator is to the rest of the program: one of a few families, each with one training loop.

A variant's module has one public function, ``build(image_size, channels, classes, **settings)``, which returns a family
with networks and losses in place. ``classes`` is the number of labels; ``settings`` is its block under
``gan.variants``. Every family has ``generator``, the network whose weights are kept, and ``sample``.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import torch
from torch import Generator, Tensor, nn
from torch.optim import Adam

from models.augment import Augmentation, symmetries
from models.generators.codes import CodeGenerator

# (images (N, C, H, W) in [-1, 1], labels (N,)) -> logits (N,), or (N, 1 + classes), of which the first says real
Discriminator = Callable[[Tensor, Tensor], Tensor]
AdversarialLoss = Callable[[Discriminator, Tensor, Tensor, Tensor], dict[str, Tensor]]
LogitLoss = Callable[[Tensor], Tensor]  # logits (N,) -> (N,)
Penalty = Callable[[Discriminator, Tensor, Tensor, Tensor, Generator], dict[str, Tensor]]
Code = Callable[[Tensor], Tensor]  # images (N, C, H, W) in [-1, 1] to codes (N, Z or more), or codes (N, Z) to images
AutoencoderLoss = Callable[[Code, Code, Tensor, Generator], dict[str, Tensor]]
# (images, domain) -> logits (N, P) of patches; a translator may have a discriminator for each of two domains
PatchDiscriminator = Callable[[Tensor, int], Tensor]


def nothing(network: nn.Module) -> None:
    """After most steps nothing is left to do."""


def no_penalty(
    discriminator: Discriminator, real: Tensor, fake: Tensor, labels: Tensor, rng: Generator
) -> dict[str, Tensor]:
    return {}


@dataclass(frozen=True, kw_only=True)
class Family:
    """What all of them have."""

    generator: nn.Module  # (z (N, Z), labels (N,)) -> images (N, C, H, W) in [-1, 1]
    latent_dim: int
    conditional: bool = False  # whether the labels play a part; if so, images of every class are trained on

    def latents(self, count: int, rng: Generator) -> Tensor:
        """Standard normal z (N, Z), drawn on the random generator's device."""
        return torch.randn(count, self.latent_dim, generator=rng, device=rng.device)

    def turns(self, policy: Sequence[str]) -> Augmentation:
        """What is to be done to images as they are drawn, if training augmented the real ones so."""
        return symmetries(policy)

    @torch.no_grad()
    def sample(self, told: Tensor, rng: Generator) -> Tensor:
        """Images, (N, C, H, W) in [-1, 1]; the generator should be in eval mode.

        Args:
            told: what the generator is told of each image: its label or number, (N,); a translator, the image to
                translate.
        """
        z = self.latents(len(told), rng).to(told.device)
        return self.generator(z, told)


@dataclass(frozen=True, kw_only=True)
class OneRate:
    """Adam's settings for a network without an opponent."""

    learning_rate: float
    beta1: float
    beta2: float


@dataclass(frozen=True, kw_only=True)
class TwoRates:
    """Adam's settings for a generator and its discriminator."""

    generator_learning_rate: float
    discriminator_learning_rate: float
    beta1: float
    beta2: float

    def optimizers(self, generator: nn.Module, discriminator: nn.Module) -> tuple[Adam, Adam]:
        betas = (self.beta1, self.beta2)
        return (
            Adam(generator.parameters(), self.generator_learning_rate, betas, fused=True),
            Adam(discriminator.parameters(), self.discriminator_learning_rate, betas, fused=True),
        )


@dataclass(frozen=True, kw_only=True)
class AdversarialTraining(TwoRates):
    """What every adversarial variant can be trained with, whatever its networks."""

    lecam_weight: float


@dataclass(frozen=True, kw_only=True)
class Adversarial(Family):
    """A generator trained against a discriminator.

    The losses take (discriminator, real, fake, labels) and return named terms, one value per sample each, (N,),
    whose means are summed and minimised. The discriminator they are given may be wrapped by augmentation; in the
    discriminator's loss the real images go through it first.
    """

    discriminator: nn.Module  # a Discriminator
    training: AdversarialTraining
    generator_loss: AdversarialLoss
    discriminator_loss: AdversarialLoss
    n_critic: int = 1  # discriminator steps per generator step
    penalty: Penalty = no_penalty  # of the discriminator; in float32, as it holds gradients; may draw from the rng
    penalty_interval: int = 1  # discriminator steps from one penalty to the next, which counts that many times
    after_discriminator_step: Callable[[nn.Module], None] = nothing


def logit_losses(generator: LogitLoss, real: LogitLoss, fake: LogitLoss) -> tuple[AdversarialLoss, AdversarialLoss]:
    """The losses of the generator and of the discriminator where each term sees the logits of one batch only."""

    def generator_loss(discriminator: Discriminator, _: Tensor, drawn: Tensor, labels: Tensor) -> dict[str, Tensor]:
        return {"adversarial": generator(discriminator(drawn, labels))}

    def discriminator_loss(
        discriminator: Discriminator, images: Tensor, drawn: Tensor, labels: Tensor
    ) -> dict[str, Tensor]:
        return {"real": real(discriminator(images, labels)), "fake": fake(discriminator(drawn, labels))}

    return generator_loss, discriminator_loss


@dataclass(frozen=True, kw_only=True)
class Autoencoder(Family):
    """A decoder trained behind an encoder to give images back.

    ``loss`` takes (encode, decode, images, rng) and returns named terms, one value per sample each, (N,), whose means
    are summed and minimised.
    """

    generator: CodeGenerator
    training: OneRate
    loss: AutoencoderLoss


@dataclass(frozen=True, kw_only=True)
class Translator(Family):
    """A generator that turns images of one kind, the sources, into images of another, the targets.

    ``generator`` takes (z, sources (N, S, H, W) in [-1, 1]). ``generator_loss`` takes (discriminator, sources, targets,
    z) and returns named terms, one value per sample each, (N,), and the fake images that the discriminator is to tell
    from real ones; ``discriminator_loss`` takes (discriminator, sources, targets, fakes).
    """

    sources: str  # what is translated: see pipeline/sources.py
    paired: bool  # whether every target has its source
    companions: nn.Module = field(default_factory=nn.Module)  # generators that train beside it and are not kept
    discriminator: nn.Module  # a PatchDiscriminator
    training: TwoRates
    generator_loss: Callable[[PatchDiscriminator, Tensor, Tensor, Tensor], tuple[dict[str, Tensor], list[Tensor]]]
    discriminator_loss: Callable[[PatchDiscriminator, Tensor, Tensor, list[Tensor]], dict[str, Tensor]]
    pool_size: int = 0  # earlier fakes that the discriminator may be shown in place of new ones; 0: none


@dataclass(frozen=True, kw_only=True)
class Diffusion(Family):
    """A generator that makes an image of noise, step by step; ``z`` is the noise that it begins with.

    ``loss`` takes (images, rng) and returns named terms, one value per sample each, (N,).
    """

    training: OneRate
    loss: Callable[[Tensor, Generator], dict[str, Tensor]]


@dataclass(frozen=True, kw_only=True)
class Collection(Family):
    """Images made elsewhere; nothing is trained, and they are drawn as they are, each once.

    ``generator`` takes (z, numbers (N,)) and has a buffer ``images`` (M, C, H, W) uint8.
    """

    folders: dict[str, str | None]  # of each class

    def turns(self, policy: Sequence[str]) -> Augmentation:
        return symmetries(())
