"""SNGAN: spectral norm in the discriminator, hinge loss. Source: Miyato et al. 2018, table 3 (standard CNN)."""

from itertools import pairwise

from torch import Tensor, nn

from models.generators.families import Adversarial, AdversarialTraining, logit_losses
from models.generators.spectral import SpectralTrunk, normalise
from models.layers import doublings, feature_maps, initialise
from models.losses import critic_generator_loss, hinge_fake_loss, hinge_real_loss


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
    """(images (N, C, H, W) in [-1, 1], labels (N,)) -> logits (N,); the labels play no part."""

    def __init__(self, image_size: int, channels: int, features: int, minibatch_stddev: bool) -> None:
        super().__init__()
        self.trunk = SpectralTrunk(image_size, channels, features, minibatch_stddev)
        self.head = nn.Linear(self.trunk.width, 1)
        normalise(self)

    def forward(self, images: Tensor, labels: Tensor) -> Tensor:
        return self.trunk.gain * self.head(self.trunk(images)).squeeze(1)


def build(
    image_size: int,
    channels: int,
    classes: int,
    latent_dim: int,
    generator_features: int,
    discriminator_features: int,
    minibatch_stddev: bool,
    n_critic: int,
    **training: float,
) -> Adversarial:
    """The settings are those of ``gan.variants.sngan``."""
    generator_loss, discriminator_loss = logit_losses(critic_generator_loss, hinge_real_loss, hinge_fake_loss)
    return Adversarial(
        generator=SnganGenerator(image_size, channels, latent_dim, generator_features),
        discriminator=SnganDiscriminator(image_size, channels, discriminator_features, minibatch_stddev),
        latent_dim=latent_dim,
        training=AdversarialTraining(**training),
        generator_loss=generator_loss,
        discriminator_loss=discriminator_loss,
        n_critic=n_critic,
    )
