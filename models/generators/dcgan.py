"""DCGAN. Source: Radford, Metz, Chintala 2016; losses from Goodfellow et al. 2014."""

from functools import partial

from models.generators.convolutional import ConvolutionalDiscriminator, ConvolutionalGenerator
from models.generators.families import Adversarial, AdversarialTraining, logit_losses
from models.losses import fake_loss, minimax_generator_loss, non_saturating_generator_loss, real_loss

GENERATOR_LOSSES = {"minimax": minimax_generator_loss, "non_saturating": non_saturating_generator_loss}


def build(
    image_size: int,
    channels: int,
    classes: int,
    latent_dim: int,
    generator_features: int,
    discriminator_features: int,
    minibatch_stddev: bool,
    loss: str,
    label_smoothing: float,
    generator_activation: str,
    light: bool,
    **training: float,
) -> Adversarial:
    """The settings are those of ``gan.variants.dcgan``."""
    generator_loss, discriminator_loss = logit_losses(
        GENERATOR_LOSSES[loss], partial(real_loss, label_smoothing=label_smoothing), fake_loss
    )
    return Adversarial(
        generator=ConvolutionalGenerator(image_size, channels, latent_dim, generator_features, generator_activation),
        discriminator=ConvolutionalDiscriminator(
            image_size, channels, discriminator_features, minibatch_stddev, light=light
        ),
        latent_dim=latent_dim,
        training=AdversarialTraining(**training),
        generator_loss=generator_loss,
        discriminator_loss=discriminator_loss,
    )
