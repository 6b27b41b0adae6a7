"""WGAN: a critic of clipped weights estimates the Wasserstein distance. Source: Arjovsky, Chintala, Bottou 2017."""

import torch
from torch import nn

from models.generators.convolutional import ConvolutionalDiscriminator, ConvolutionalGenerator
from models.generators.families import Adversarial, AdversarialTraining, logit_losses
from models.losses import critic_fake_loss, critic_generator_loss, critic_real_loss


def build(
    image_size: int,
    channels: int,
    classes: int,
    latent_dim: int,
    generator_features: int,
    discriminator_features: int,
    minibatch_stddev: bool,
    n_critic: int,
    clip: float,
    **training: float,
) -> Adversarial:
    """The settings are those of ``gan.variants.wgan``. Adam with beta1 0 stands for the paper's RMSProp."""

    @torch.no_grad()
    def clip_weights(critic: nn.Module) -> None:
        """Source: Arjovsky et al. 2017, algorithm 1, line 7."""
        for weights in critic.parameters():
            weights.clamp_(-clip, clip)

    generator_loss, discriminator_loss = logit_losses(critic_generator_loss, critic_real_loss, critic_fake_loss)
    return Adversarial(
        generator=ConvolutionalGenerator(image_size, channels, latent_dim, generator_features),
        discriminator=ConvolutionalDiscriminator(image_size, channels, discriminator_features, minibatch_stddev),
        latent_dim=latent_dim,
        training=AdversarialTraining(**training),
        generator_loss=generator_loss,
        discriminator_loss=discriminator_loss,
        n_critic=n_critic,
        after_discriminator_step=clip_weights,
    )
