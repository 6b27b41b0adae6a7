"""The losses of R3GAN on the light networks of DCGAN. Source: Huang et al. 2024; Radford et al. 2016.

The generator repeats pixels and smooths them instead of transposing convolutions; the discriminator has no norms, so
that its gradient at an image, which is penalised, depends on no other image.
"""

from torch import Tensor, nn

from models.generators.convolutional import SLOPE, ConvolutionalDiscriminator
from models.generators.families import Adversarial, AdversarialTraining
from models.generators.relativistic import discriminator_loss, generator_loss, gradient_penalties
from models.generators.upsampling import UpsamplingGenerator
from models.layers import keep_variance


class UnconditionalGenerator(nn.Module):
    """(z (N, Z), labels (N,)) -> images (N, C, H, W) in [-1, 1]; the labels play no part."""

    def __init__(self, image_size: int, channels: int, latent_dim: int, features: int) -> None:
        super().__init__()
        self.network = UpsamplingGenerator(image_size, channels, latent_dim, features, classes=1)

    def forward(self, z: Tensor, labels: Tensor) -> Tensor:
        return self.network(z, labels.new_zeros(len(labels)))


def build(
    image_size: int,
    channels: int,
    classes: int,
    latent_dim: int,
    generator_features: int,
    discriminator_features: int,
    minibatch_stddev: bool,
    penalty_weight: float,
    penalty_interval: int,
    **training: float,
) -> Adversarial:
    """The settings are those of ``gan.variants.rpgan``."""
    discriminator = ConvolutionalDiscriminator(
        image_size, channels, discriminator_features, minibatch_stddev, norm=None
    )
    keep_variance(discriminator, SLOPE)
    return Adversarial(
        generator=UnconditionalGenerator(image_size, channels, latent_dim, generator_features),
        discriminator=discriminator,
        latent_dim=latent_dim,
        training=AdversarialTraining(**training),
        generator_loss=generator_loss,
        discriminator_loss=discriminator_loss,
        penalty=gradient_penalties(penalty_weight),
        penalty_interval=penalty_interval,
    )
