"""What a generator is to the rest of the program: one of a few families, each with one training loop.

A variant's module has one public function, ``build(image_size, channels, classes, **settings)``, which returns a family
with networks and losses in place. ``classes`` is the number of labels; ``settings`` is its block under
``gan.variants``. Every family has ``generator``, the network whose weights are kept, and ``sample``.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Generator, Tensor, nn

from models.generators.codes import CodeGenerator

# (images (N, C, H, W) in [-1, 1], labels (N,)) -> logits (N,), or (N, 1 + classes), of which the first says real
Discriminator = Callable[[Tensor, Tensor], Tensor]
AdversarialLoss = Callable[[Discriminator, Tensor, Tensor, Tensor], dict[str, Tensor]]
LogitLoss = Callable[[Tensor], Tensor]  # logits (N,) -> (N,)
Penalty = Callable[[Discriminator, Tensor, Tensor, Tensor, Generator], dict[str, Tensor]]
Code = Callable[[Tensor], Tensor]  # images (N, C, H, W) in [-1, 1] to codes (N, Z or more), or codes (N, Z) to images
AutoencoderLoss = Callable[[Code, Code, Tensor, Generator], dict[str, Tensor]]


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

    @torch.no_grad()
    def sample(self, labels: Tensor, rng: Generator) -> Tensor:
        """Images of the given classes, (N, C, H, W) in [-1, 1]; the generator should be in eval mode."""
        z = self.latents(len(labels), rng).to(labels.device)
        return self.generator(z, labels)


@dataclass(frozen=True, kw_only=True)
class Adversarial(Family):
    """A generator trained against a discriminator.

    The losses take (discriminator, real, fake, labels) and return named terms, one value per sample each, (N,),
    whose means are summed and minimised. The discriminator they are given may be wrapped by augmentation.
    """

    discriminator: nn.Module  # a Discriminator
    learning_rates: tuple[float, float]  # of the generator and the discriminator
    betas: tuple[float, float]  # of Adam, for both
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
    encoder: nn.Module  # images (N, C, H, W) in [-1, 1] -> codes
    learning_rate: float
    betas: tuple[float, float]  # of Adam
    loss: AutoencoderLoss
