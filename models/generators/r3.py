"""R3GAN: relativistic pairs, penalties on both gradients, residual blocks without norms. Source: Huang et al. 2024."""

import math
from itertools import pairwise

import torch
from torch import Generator, Tensor, nn
from torch.nn import functional as F

from models.generators.families import Adversarial, AdversarialTraining, Discriminator, Penalty
from models.layers import MinibatchStddev, doublings, feature_maps
from models.losses import relativistic_loss, squared_gradients

SLOPE = 0.2  # of the leaky ReLU
GROUP = 16  # feature maps of a group of the 3x3 convolutions
EXPANSION = 2  # of a block's width between its 1x1 convolutions


class ResidualBlock(nn.Module):
    """1x1, grouped 3x3, 1x1, added to what comes in. Source: Huang et al. 2024, section 3.3.

    The last convolution starts at zero, so that a block starts as the identity and no norm is needed; see ``fix_up``.
    """

    def __init__(self, features: int) -> None:
        super().__init__()
        inner = EXPANSION * features
        self.layers = nn.Sequential(
            nn.Conv2d(features, inner, 1),
            nn.LeakyReLU(SLOPE),
            nn.Conv2d(inner, inner, 3, 1, 1, groups=inner // math.gcd(inner, GROUP)),
            nn.LeakyReLU(SLOPE),
            nn.Conv2d(inner, features, 1, bias=False),
        )

    def forward(self, x: Tensor) -> Tensor:
        return x + self.layers(x)


class Enlarged(nn.Module):
    """Another number of features by a 1x1 convolution, then twice the size by bilinear interpolation."""

    def __init__(self, features_in: int, features_out: int) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(features_in, features_out, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return F.interpolate(self.convolution(x), scale_factor=2, mode="bilinear")


class Halved(nn.Sequential):
    """Half the size by bilinear interpolation, which is the mean of four, then another number of features."""

    def __init__(self, features_in: int, features_out: int) -> None:
        super().__init__(nn.AvgPool2d(2), nn.Conv2d(features_in, features_out, 1, bias=False))


class R3Generator(nn.Module):
    """(z (N, Z), labels (N,)) -> images (N, C, H, W) in [-1, 1].

    Differs from the paper: a tanh keeps images in [-1, 1].

    Args:
        classes: of the labels, whose embedding stands behind z; 0: the labels play no part.
    """

    def __init__(
        self, image_size: int, channels: int, latent_dim: int, features: int, blocks: int, classes: int
    ) -> None:
        super().__init__()
        self.embedding = nn.Embedding(classes, latent_dim) if classes else None
        widths = [*feature_maps(features, doublings(image_size))[::-1], features]
        self.basis = nn.Parameter(torch.randn(1, widths[0], 4, 4))
        self.linear = nn.Linear(2 * latent_dim if classes else latent_dim, widths[0], bias=False)
        layers: list[nn.Module] = [ResidualBlock(widths[0]) for _ in range(blocks)]
        for wide, narrow in pairwise(widths):
            layers += [Enlarged(wide, narrow), *(ResidualBlock(narrow) for _ in range(blocks))]
        self.layers = nn.Sequential(*layers, nn.Conv2d(features, channels, 1))
        fix_up(self)

    def forward(self, z: Tensor, labels: Tensor) -> Tensor:
        told = z if self.embedding is None else torch.cat([z, self.embedding(labels)], dim=1)
        return self.layers(self.linear(told)[:, :, None, None] * self.basis).tanh()


class R3Discriminator(nn.Module):
    """(images (N, C, H, W) in [-1, 1], labels (N,)) -> logits (N,).

    Args:
        classes: of the labels, whose embedding the features are projected on (Miyato and Koyama 2018); 0: the labels
            play no part.
    """

    def __init__(
        self, image_size: int, channels: int, features: int, minibatch_stddev: bool, blocks: int, classes: int
    ) -> None:
        super().__init__()
        widths = [features, *feature_maps(features, doublings(image_size))]
        layers: list[nn.Module] = [nn.Conv2d(channels, features, 1)]
        for narrow, wide in pairwise(widths):
            layers += [*(ResidualBlock(narrow) for _ in range(blocks)), Halved(narrow, wide)]
        layers += [ResidualBlock(widths[-1]) for _ in range(blocks)]
        last = widths[-1]
        if minibatch_stddev:
            layers, last = [*layers, MinibatchStddev()], last + 1
        basis = nn.Conv2d(last, last, 4, groups=last, bias=False)
        self.layers = nn.Sequential(*layers, basis, nn.Flatten())
        self.head = nn.Linear(last, 1, bias=False)
        self.class_head = nn.Embedding(classes, last) if classes else None
        fix_up(self)

    def forward(self, images: Tensor, labels: Tensor) -> Tensor:
        features = self.layers(images)
        logits = self.head(features).squeeze(1)
        if self.class_head is None:
            return logits
        return logits + (self.class_head(labels) * features).sum(dim=1) / math.sqrt(features.shape[1])


def fix_up(network: nn.Module) -> None:
    """Every layer keeps the variance of its input; a block's last starts at zero, its others a little smaller.

    Of L blocks with three layers each, by L^(-1/4). Source: Zhang et al. 2019 (Fixup), section 3; He et al. 2015.
    """
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            nn.init.normal_(layer.weight, 0, 1 / math.sqrt(layer.weight[0].numel()))
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
    blocks = [block for block in network.modules() if isinstance(block, ResidualBlock)]
    gain = math.sqrt(2 / (1 + SLOPE**2)) * len(blocks) ** -0.25
    with torch.no_grad():
        for block in blocks:
            *first, last = (layer for layer in block.layers if isinstance(layer, nn.Conv2d))
            for layer in first:
                layer.weight.mul_(gain)
            nn.init.zeros_(last.weight)


def generator_loss(discriminator: Discriminator, real: Tensor, fake: Tensor, labels: Tensor) -> dict[str, Tensor]:
    """Source: Huang et al. 2024, eq. 2, each fake image against one real image."""
    return {"adversarial": relativistic_loss(discriminator(fake, labels), discriminator(real, labels))}


def discriminator_loss(discriminator: Discriminator, real: Tensor, fake: Tensor, labels: Tensor) -> dict[str, Tensor]:
    return {"adversarial": relativistic_loss(discriminator(real, labels), discriminator(fake, labels))}


def gradient_penalties(weight: float) -> Penalty:
    """R1 and R2, each ``weight / 2`` times the squared gradient. Source: Huang et al. 2024, eq. 3 and 4."""

    def penalty(
        discriminator: Discriminator, real: Tensor, fake: Tensor, labels: Tensor, rng: Generator
    ) -> dict[str, Tensor]:
        return {
            name: 0.5 * weight * squared_gradients(lambda points: discriminator(points, labels), images)
            for name, images in (("r1", real), ("r2", fake))
        }

    return penalty


def build(
    image_size: int,
    channels: int,
    classes: int,
    latent_dim: int,
    generator_features: int,
    discriminator_features: int,
    minibatch_stddev: bool,
    conditional: bool,
    blocks: int,
    penalty_weight: float,
    penalty_interval: int,
    **training: float,
) -> Adversarial:
    """The settings are those of ``gan.variants.r3``. Differs from the paper: penalties need not be taken every step."""
    known = classes if conditional else 0
    return Adversarial(
        generator=R3Generator(image_size, channels, latent_dim, generator_features, blocks, known),
        discriminator=R3Discriminator(image_size, channels, discriminator_features, minibatch_stddev, blocks, known),
        conditional=conditional,
        latent_dim=latent_dim,
        training=AdversarialTraining(**training),
        generator_loss=generator_loss,
        discriminator_loss=discriminator_loss,
        penalty=gradient_penalties(penalty_weight),
        penalty_interval=penalty_interval,
    )
