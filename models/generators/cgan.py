"""Conditional GAN: both networks are told the class. Source: Mirza and Osindero 2014; networks of DCGAN."""

from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from models.generators.convolutional import ConvolutionalDiscriminator, ConvolutionalGenerator
from models.generators.families import Adversarial, AdversarialTraining, logit_losses
from models.losses import fake_loss, non_saturating_generator_loss, real_loss


class ConditionalGenerator(nn.Module):
    """(z (N, Z), labels (N,)) -> images (N, C, H, W) in [-1, 1]; the label stands behind z, one-hot."""

    def __init__(self, image_size: int, channels: int, latent_dim: int, features: int, classes: int) -> None:
        super().__init__()
        self.classes = classes
        self.network = ConvolutionalGenerator(image_size, channels, latent_dim + classes, features)

    def forward(self, z: Tensor, labels: Tensor) -> Tensor:
        return self.network(torch.cat([z, F.one_hot(labels, self.classes).to(z.dtype)], dim=1), labels)


class ConditionalDiscriminator(nn.Module):
    """(images (N, C, H, W) in [-1, 1], labels (N,)) -> logits (N,); each class has a channel, 1 where meant."""

    def __init__(self, image_size: int, channels: int, features: int, minibatch_stddev: bool, classes: int) -> None:
        super().__init__()
        self.classes = classes
        self.network = ConvolutionalDiscriminator(image_size, channels + classes, features, minibatch_stddev)

    def forward(self, images: Tensor, labels: Tensor) -> Tensor:
        planes = F.one_hot(labels, self.classes).to(images.dtype)[:, :, None, None]
        return self.network(torch.cat([images, planes.expand(-1, -1, *images.shape[2:])], dim=1), labels)


def build(
    image_size: int,
    channels: int,
    classes: int,
    latent_dim: int,
    generator_features: int,
    discriminator_features: int,
    minibatch_stddev: bool,
    label_smoothing: float,
    **training: float,
) -> Adversarial:
    """The settings are those of ``gan.variants.cgan``."""
    generator_loss, discriminator_loss = logit_losses(
        non_saturating_generator_loss, partial(real_loss, label_smoothing=label_smoothing), fake_loss
    )
    return Adversarial(
        generator=ConditionalGenerator(image_size, channels, latent_dim, generator_features, classes),
        discriminator=ConditionalDiscriminator(image_size, channels, discriminator_features, minibatch_stddev, classes),
        latent_dim=latent_dim,
        training=AdversarialTraining(**training),
        generator_loss=generator_loss,
        discriminator_loss=discriminator_loss,
        conditional=True,
    )
