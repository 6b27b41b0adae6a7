"""DCGAN with a generator that repeats pixels, smooths them and adds noise: what the benchmarks here found best.

Source: Radford, Metz, Chintala 2016, but for the generator; see upsampling.py.
"""

from functools import partial

from torch import Tensor, nn

from models.generators.convolutional import ConvolutionalDiscriminator
from models.generators.families import Adversarial, AdversarialTraining, logit_losses
from models.generators.upsampling import UpsamplingGenerator
from models.losses import fake_loss, non_saturating_generator_loss, real_loss


class UnconditionalGenerator(nn.Module):
    """(z (N, Z), labels (N,)) -> images (N, C, H, W) in [-1, 1]; the labels play no part."""

    def __init__(self, image_size: int, channels: int, latent_dim: int, features: int, noise: bool) -> None:
        super().__init__()
        self.network = UpsamplingGenerator(image_size, channels, latent_dim, features, classes=1, noise=noise)

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
    label_smoothing: float,
    noise_inputs: bool,
    **training: float,
) -> Adversarial:
    """The settings are those of ``gan.variants.noise_dcgan``. The noise stands behind z in the latents."""
    generator = UnconditionalGenerator(image_size, channels, latent_dim, generator_features, noise_inputs)
    generator_loss, discriminator_loss = logit_losses(
        non_saturating_generator_loss, partial(real_loss, label_smoothing=label_smoothing), fake_loss
    )
    return Adversarial(
        generator=generator,
        discriminator=ConvolutionalDiscriminator(image_size, channels, discriminator_features, minibatch_stddev),
        latent_dim=sum(generator.network.latents),
        training=AdversarialTraining(**training),
        generator_loss=generator_loss,
        discriminator_loss=discriminator_loss,
    )
