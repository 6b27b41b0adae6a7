"""What a generator is to the rest of the program: one of a few families, each with one training loop.

A variant's module has one public function, ``build(image_size, channels, **settings)``, which returns a family with
networks and losses in place. ``settings`` is its block under ``gan.variants``. Every family has ``generator``, the
network whose weights are kept, and ``sample``.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Generator, Tensor, nn

Discriminator = Callable[[Tensor, Tensor], Tensor]  # (images (N, C, H, W) in [-1, 1], labels (N,)) -> logits (N,)
AdversarialLoss = Callable[[Discriminator, Tensor, Tensor, Tensor], dict[str, Tensor]]


@dataclass(frozen=True)
class Adversarial:
    """A generator trained against a discriminator.

    Both losses take (discriminator, real, fake, labels) and return named terms, one value per sample each, (N,),
    whose means are summed and minimised. The discriminator they are given may be wrapped by augmentation.
    """

    generator: nn.Module  # (z (N, Z), labels (N,)) -> images (N, C, H, W) in [-1, 1]
    discriminator: nn.Module  # (images (N, C, H, W) in [-1, 1], labels (N,)) -> logits (N,)
    latent_dim: int
    learning_rates: tuple[float, float]  # of the generator and the discriminator
    betas: tuple[float, float]  # of Adam, for both
    generator_loss: AdversarialLoss
    discriminator_loss: AdversarialLoss
    n_critic: int = 1  # discriminator steps per generator step

    def latents(self, count: int, rng: Generator) -> Tensor:
        """Standard normal z (N, Z), drawn on the random generator's device."""
        return torch.randn(count, self.latent_dim, generator=rng, device=rng.device)

    @torch.no_grad()
    def sample(self, labels: Tensor, rng: Generator) -> Tensor:
        """Images of the given classes, (N, C, H, W) in [-1, 1]; the generator should be in eval mode."""
        z = self.latents(len(labels), rng).to(labels.device)
        return self.generator(z, labels)
