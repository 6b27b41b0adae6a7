"""SNGAN: spectral norm in the discriminator, hinge loss. Source: Miyato et al. 2018, table 3 (standard CNN)."""

import math
from itertools import pairwise

from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from models.generators.families import Adversarial, Discriminator
from models.layers import doublings, feature_maps, initialise
from models.losses import hinge_fake_loss, hinge_real_loss

SLOPE = 0.1  # of the discriminator's leaky ReLU


class SnganGenerator(nn.Module):
    """(z (N, Z), labels (N,)) -> images (N, C, H, W) in [-1, 1]; the labels play no part.

    Differs from the paper: batch norm and ReLU behind the dense layer too.
    """

    def __init__(self, image_size: int, channels: int, latent_dim: int, features: int) -> None:
        super().__init__()
        widths = [*feature_maps(features, doublings(image_size))[::-1], features]
        self.widest = widths[0]
        self.linear = nn.Linear(latent_dim, self.widest * 16)
        layers: list[nn.Module] = [nn.BatchNorm2d(self.widest), nn.ReLU()]
        for wide, narrow in pairwise(widths):
            layers += [nn.ConvTranspose2d(wide, narrow, 4, 2, 1, bias=False), nn.BatchNorm2d(narrow), nn.ReLU()]
        self.layers = nn.Sequential(*layers, nn.Conv2d(features, channels, 3, 1, 1), nn.Tanh())
        initialise(self)

    def forward(self, z: Tensor, labels: Tensor) -> Tensor:
        return self.layers(self.linear(z).view(-1, self.widest, 4, 4))


class SnganDiscriminator(nn.Module):
    """(images (N, C, H, W) in [-1, 1], labels (N,)) -> logits (N,); the labels play no part.

    At each resolution a 3x3 convolution, then a 4x4 one with stride 2, all normalised to spectral norm 1.

    Differs from the paper: orthogonal start, since normal(0, 0.02) would be scaled to norm 1 anyway, but from nearly
    parallel filters; and every leaky ReLU is made up for by its gain (He et al. 2015), all of them at once behind the
    last layer. Without it logits at 64 px are a fifteenth, far inside the hinge's margins: a straight line, that is.
    """

    def __init__(self, image_size: int, channels: int, features: int) -> None:
        super().__init__()
        widths = feature_maps(features, doublings(image_size))
        layers: list[nn.Module] = []
        for before, width in pairwise([channels, *widths]):
            layers += [nn.Conv2d(before, width, 3, 1, 1), nn.LeakyReLU(SLOPE)]
            layers += [nn.Conv2d(width, width, 4, 2, 1), nn.LeakyReLU(SLOPE)]
        self.layers = nn.Sequential(*layers, nn.Flatten(), nn.Linear(widths[-1] * 16, 1))
        self.gain = math.sqrt(2 / (1 + SLOPE**2)) ** (2 * len(widths))
        for layer in self.layers:
            if isinstance(layer, nn.Conv2d | nn.Linear):
                nn.init.orthogonal_(layer.weight)
                spectral_norm(layer)

    def forward(self, images: Tensor, labels: Tensor) -> Tensor:
        return self.gain * self.layers(images).squeeze(1)


def generator_loss(discriminator: Discriminator, real: Tensor, fake: Tensor, labels: Tensor) -> dict[str, Tensor]:
    """-D(G(z)). Source: Miyato et al. 2018, eq. 17."""
    return {"adversarial": -discriminator(fake, labels)}


def discriminator_loss(discriminator: Discriminator, real: Tensor, fake: Tensor, labels: Tensor) -> dict[str, Tensor]:
    return {
        "real": hinge_real_loss(discriminator(real, labels)),
        "fake": hinge_fake_loss(discriminator(fake, labels)),
    }


def build(
    image_size: int,
    channels: int,
    generator_learning_rate: float,
    discriminator_learning_rate: float,
    beta1: float,
    beta2: float,
    latent_dim: int,
    generator_features: int,
    discriminator_features: int,
    n_critic: int,
) -> Adversarial:
    """The settings are those of ``gan.variants.sngan``."""
    return Adversarial(
        generator=SnganGenerator(image_size, channels, latent_dim, generator_features),
        discriminator=SnganDiscriminator(image_size, channels, discriminator_features),
        latent_dim=latent_dim,
        learning_rates=(generator_learning_rate, discriminator_learning_rate),
        betas=(beta1, beta2),
        generator_loss=generator_loss,
        discriminator_loss=discriminator_loss,
        n_critic=n_critic,
    )
