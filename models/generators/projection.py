"""A conditional GAN with a projection discriminator. Source: Miyato and Koyama 2018."""

from torch import Tensor, nn

from models.generators.families import Adversarial, AdversarialTraining, logit_losses
from models.generators.spectral import SpectralTrunk, normalise
from models.generators.upsampling import UpsamplingGenerator
from models.losses import critic_generator_loss, hinge_fake_loss, hinge_real_loss


class ProjectionDiscriminator(nn.Module):
    """(images (N, C, H, W) in [-1, 1], labels (N,)) -> logits (N,). Source: Miyato and Koyama 2018, eq. 3."""

    def __init__(self, image_size: int, channels: int, features: int, minibatch_stddev: bool, classes: int) -> None:
        super().__init__()
        self.trunk = SpectralTrunk(image_size, channels, features, minibatch_stddev)
        self.head = nn.Linear(self.trunk.width, 1)
        self.class_head = nn.Embedding(classes, self.trunk.width)
        normalise(self)

    def forward(self, images: Tensor, labels: Tensor) -> Tensor:
        features = self.trunk(images)
        return self.trunk.gain * (self.head(features).squeeze(1) + (self.class_head(labels) * features).sum(dim=1))


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
    """The settings are those of ``gan.variants.projection``."""
    generator_loss, discriminator_loss = logit_losses(critic_generator_loss, hinge_real_loss, hinge_fake_loss)
    return Adversarial(
        generator=UpsamplingGenerator(image_size, channels, latent_dim, generator_features, classes),
        discriminator=ProjectionDiscriminator(image_size, channels, discriminator_features, minibatch_stddev, classes),
        latent_dim=latent_dim,
        training=AdversarialTraining(**training),
        generator_loss=generator_loss,
        discriminator_loss=discriminator_loss,
        n_critic=n_critic,
        conditional=True,
    )
