"""Relativistic pairs with penalties on both gradients. Source: Huang et al. 2024 (R3GAN), section 2."""

from torch import Generator, Tensor

from models.generators.families import Discriminator, Penalty
from models.losses import relativistic_loss, squared_gradients


def generator_loss(discriminator: Discriminator, real: Tensor, fake: Tensor, labels: Tensor) -> dict[str, Tensor]:
    """Source: Huang et al. 2024, eq. 2, each fake image against one real image."""
    return {"adversarial": relativistic_loss(discriminator(fake, labels), discriminator(real, labels))}


def discriminator_loss(discriminator: Discriminator, real: Tensor, fake: Tensor, labels: Tensor) -> dict[str, Tensor]:
    return {"adversarial": relativistic_loss(discriminator(real, labels), discriminator(fake, labels))}


def gradient_penalties(weight: float) -> Penalty:
    """R1 and R2, each ``weight / 2`` times the squared gradient. Source: Huang et al. 2024, eq. 3 and 4."""

    def penalty(
        discriminator: Discriminator, real: Tensor, fake: Tensor, labels: Tensor, rng: Generator
    ) -> dict[str, Tensor]:
        return {
            name: 0.5 * weight * squared_gradients(lambda points: discriminator(points, labels), images)
            for name, images in (("r1", real), ("r2", fake))
        }

    return penalty
