"""DCGAN. Source: Radford, Metz, Chintala 2016; losses from Goodfellow et al. 2014."""

from collections.abc import Callable
from itertools import pairwise

from torch import Tensor, nn

from models.generators.families import Adversarial, Discriminator
from models.layers import doublings, feature_maps, initialise
from models.losses import fake_loss, minimax_generator_loss, non_saturating_generator_loss, real_loss

GENERATOR_LOSSES = {"minimax": minimax_generator_loss, "non_saturating": non_saturating_generator_loss}
ACTIVATIONS: dict[str, Callable[[], nn.Module]] = {"relu": nn.ReLU, "leaky_relu": lambda: nn.LeakyReLU(0.2)}


class DcganGenerator(nn.Module):
    """(z (N, Z), labels (N,)) -> images (N, C, H, W) in [-1, 1]; the labels play no part."""

    def __init__(self, image_size: int, channels: int, latent_dim: int, features: int, activation: str) -> None:
        super().__init__()
        widths = feature_maps(features, doublings(image_size))[::-1]
        layers = [*self._block(nn.ConvTranspose2d(latent_dim, widths[0], 4, bias=False), activation)]
        for wide, narrow in pairwise(widths):
            layers += self._block(nn.ConvTranspose2d(wide, narrow, 4, 2, 1, bias=False), activation)
        self.layers = nn.Sequential(*layers, nn.ConvTranspose2d(widths[-1], channels, 4, 2, 1), nn.Tanh())
        initialise(self)

    @staticmethod
    def _block(convolution: nn.ConvTranspose2d, activation: str) -> list[nn.Module]:
        return [convolution, nn.BatchNorm2d(convolution.out_channels), ACTIVATIONS[activation]()]

    def forward(self, z: Tensor, labels: Tensor) -> Tensor:
        return self.layers(z[:, :, None, None])


class DcganDiscriminator(nn.Module):
    """(images (N, C, H, W) in [-1, 1], labels (N,)) -> logits (N,); the labels play no part.

    Args:
        light: half the feature maps and a fully connected head, for small sets on which the full one wins too early.
    """

    def __init__(self, image_size: int, channels: int, features: int, light: bool) -> None:
        super().__init__()
        widths = feature_maps(features // 2 if light else features, doublings(image_size))
        layers: list[nn.Module] = [nn.Conv2d(channels, widths[0], 4, 2, 1), nn.LeakyReLU(0.2)]
        for narrow, wide in pairwise(widths):
            layers += [nn.Conv2d(narrow, wide, 4, 2, 1, bias=False), nn.BatchNorm2d(wide), nn.LeakyReLU(0.2)]
        head = [nn.Flatten(), nn.Linear(widths[-1] * 16, 1)] if light else [nn.Conv2d(widths[-1], 1, 4), nn.Flatten()]
        self.layers = nn.Sequential(*layers, *head)
        initialise(self)

    def forward(self, images: Tensor, labels: Tensor) -> Tensor:
        return self.layers(images).squeeze(1)


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
    loss: str,
    label_smoothing: float,
    generator_activation: str,
    light: bool,
) -> Adversarial:
    """The settings are those of ``gan.variants.dcgan``."""

    def generator_loss(discriminator: Discriminator, real: Tensor, fake: Tensor, labels: Tensor) -> dict[str, Tensor]:
        return {"adversarial": GENERATOR_LOSSES[loss](discriminator(fake, labels))}

    def discriminator_loss(
        discriminator: Discriminator, real: Tensor, fake: Tensor, labels: Tensor
    ) -> dict[str, Tensor]:
        return {
            "real": real_loss(discriminator(real, labels), label_smoothing),
            "fake": fake_loss(discriminator(fake, labels)),
        }

    return Adversarial(
        generator=DcganGenerator(image_size, channels, latent_dim, generator_features, generator_activation),
        discriminator=DcganDiscriminator(image_size, channels, discriminator_features, light),
        latent_dim=latent_dim,
        learning_rates=(generator_learning_rate, discriminator_learning_rate),
        betas=(beta1, beta2),
        generator_loss=generator_loss,
        discriminator_loss=discriminator_loss,
    )
