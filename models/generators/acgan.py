"""ACGAN: the discriminator names the class besides. Source: Odena, Olah, Shlens 2017."""

from torch import Tensor, nn
from torch.nn import functional as F

from models.generators.families import Adversarial, AdversarialTraining, Discriminator
from models.generators.spectral import SpectralTrunk, normalise
from models.generators.upsampling import UpsamplingGenerator
from models.losses import fake_loss, non_saturating_generator_loss, real_loss


class AcganGenerator(nn.Module):
    """(z (N, Z), labels (N,)) -> images (N, C, H, W) in [-1, 1].

    Differs from the paper: z is multiplied by the class's embedding, not given beside it.
    """

    def __init__(self, image_size: int, channels: int, latent_dim: int, features: int, classes: int) -> None:
        super().__init__()
        self.network = UpsamplingGenerator(image_size, channels, latent_dim, features, classes=1)
        self.embedding = nn.Embedding(classes, latent_dim)

    def forward(self, z: Tensor, labels: Tensor) -> Tensor:
        return self.network(z * self.embedding(labels), labels.new_zeros(len(labels)))


class AcganDiscriminator(nn.Module):
    """(images (N, C, H, W) in [-1, 1], labels (N,)) -> (N, 1 + classes): a logit of being real, then the classes'."""

    def __init__(self, image_size: int, channels: int, features: int, minibatch_stddev: bool, classes: int) -> None:
        super().__init__()
        self.trunk = SpectralTrunk(image_size, channels, features, minibatch_stddev)
        self.head = nn.Linear(self.trunk.width, 1 + classes)
        normalise(self)

    def forward(self, images: Tensor, labels: Tensor) -> Tensor:
        return self.trunk.gain * self.head(self.trunk(images))


def build(
    image_size: int,
    channels: int,
    classes: int,
    latent_dim: int,
    generator_features: int,
    discriminator_features: int,
    minibatch_stddev: bool,
    label_smoothing: float,
    class_weight: float,
    **training: float,
) -> Adversarial:
    """The settings are those of ``gan.variants.acgan``. Losses: Odena et al. 2017, eq. 2 (source) and 3 (class)."""

    def class_loss(logits: Tensor, labels: Tensor) -> Tensor:
        return class_weight * F.cross_entropy(logits[:, 1:], labels, reduction="none")

    def generator_loss(discriminator: Discriminator, real: Tensor, fake: Tensor, labels: Tensor) -> dict[str, Tensor]:
        logits = discriminator(fake, labels)
        return {"adversarial": non_saturating_generator_loss(logits[:, 0]), "class": class_loss(logits, labels)}

    def discriminator_loss(
        discriminator: Discriminator, real: Tensor, fake: Tensor, labels: Tensor
    ) -> dict[str, Tensor]:
        of_real, of_fake = discriminator(real, labels), discriminator(fake, labels)
        return {
            "real": real_loss(of_real[:, 0], label_smoothing),
            "fake": fake_loss(of_fake[:, 0]),
            "class_of_real": class_loss(of_real, labels),
            "class_of_fake": class_loss(of_fake, labels),
        }

    return Adversarial(
        generator=AcganGenerator(image_size, channels, latent_dim, generator_features, classes),
        discriminator=AcganDiscriminator(image_size, channels, discriminator_features, minibatch_stddev, classes),
        latent_dim=latent_dim,
        training=AdversarialTraining(**training),
        generator_loss=generator_loss,
        discriminator_loss=discriminator_loss,
        conditional=True,
    )
