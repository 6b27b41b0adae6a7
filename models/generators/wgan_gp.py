"""WGAN-GP: the critic's gradient is held to norm 1. Source: Gulrajani et al. 2017."""

import torch
from torch import Generator, Tensor, nn

from models.generators.convolutional import ConvolutionalDiscriminator, ConvolutionalGenerator
from models.generators.families import Adversarial, AdversarialTraining, Discriminator, logit_losses
from models.losses import critic_fake_loss, critic_generator_loss, critic_real_loss, gradient_penalty


def layer_norm(features: int) -> nn.Module:
    """Batch norm would let one image's gradient depend on another. Source: Gulrajani et al. 2017, section 4."""
    return nn.GroupNorm(1, features)


def build(
    image_size: int,
    channels: int,
    classes: int,
    latent_dim: int,
    generator_features: int,
    discriminator_features: int,
    minibatch_stddev: bool,
    n_critic: int,
    penalty_weight: float,
    penalty_interval: int,
    **training: float,
) -> Adversarial:
    """The settings are those of ``gan.variants.wgan_gp``."""

    def penalty(
        discriminator: Discriminator, real: Tensor, fake: Tensor, labels: Tensor, rng: Generator
    ) -> dict[str, Tensor]:
        fractions = torch.rand(len(real), 1, 1, 1, generator=rng, device=real.device)
        term = gradient_penalty(lambda points: discriminator(points, labels), real, fake, fractions)
        return {"gradient_penalty": penalty_weight * term}

    generator_loss, discriminator_loss = logit_losses(critic_generator_loss, critic_real_loss, critic_fake_loss)
    return Adversarial(
        generator=ConvolutionalGenerator(image_size, channels, latent_dim, generator_features),
        discriminator=ConvolutionalDiscriminator(
            image_size, channels, discriminator_features, minibatch_stddev, layer_norm
        ),
        latent_dim=latent_dim,
        training=AdversarialTraining(**training),
        generator_loss=generator_loss,
        discriminator_loss=discriminator_loss,
        n_critic=n_critic,
        penalty=penalty,
        penalty_interval=penalty_interval,
    )
