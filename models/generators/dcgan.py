"""DCGAN. Source: Radford, Metz, Chintala 2016; losses from Goodfellow et al. 2014."""

from functools import partial

from models.generators.convolutional import ConvolutionalDiscriminator, ConvolutionalGenerator
from models.generators.families import Adversarial, logit_losses
from models.losses import fake_loss, minimax_generator_loss, non_saturating_generator_loss, real_loss

GENERATOR_LOSSES = {"minimax": minimax_generator_loss, "non_saturating": non_saturating_generator_loss}


def build(
    image_size: int,
    channels: int,
    classes: int,
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
    generator_loss, discriminator_loss = logit_losses(
        GENERATOR_LOSSES[loss], partial(real_loss, label_smoothing=label_smoothing), fake_loss
    )
    return Adversarial(
        generator=ConvolutionalGenerator(image_size, channels, latent_dim, generator_features, generator_activation),
        discriminator=ConvolutionalDiscriminator(image_size, channels, discriminator_features, light=light),
        latent_dim=latent_dim,
        learning_rates=(generator_learning_rate, discriminator_learning_rate),
        betas=(beta1, beta2),
        generator_loss=generator_loss,
        discriminator_loss=discriminator_loss,
    )
