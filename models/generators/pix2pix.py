"""pix2pix: a mask, or a channel, to an image. Source: Isola et al. 2017."""

from functools import partial
from itertools import pairwise

import torch
from torch import Tensor, nn

from models.generators.families import PatchDiscriminator, Translator, TwoRates
from models.generators.translators import PatchNetwork
from models.layers import doublings, feature_maps, initialise
from models.losses import absolute_error, fake_loss, non_saturating_generator_loss, real_loss

SOURCE_CHANNELS = 1  # of a mask as of a channel


class UNet(nn.Module):
    """(z (N, Z), sources (N, 1, H, W)) -> images (N, C, H, W) in [-1, 1]. Source: Isola et al. 2017, section 6.1.1.

    Differs from the paper: noise is a code at 4 px and no dropout, so that a seed decides it; either is hardly used
    (section 3.1 there). The way down ends at 4 px.
    """

    def __init__(self, image_size: int, channels: int, latent_dim: int, features: int) -> None:
        super().__init__()
        widths = feature_maps(features, doublings(image_size))
        self.down = nn.ModuleList([nn.Conv2d(SOURCE_CHANNELS, widths[0], 4, 2, 1)])
        for narrow, wide in pairwise(widths):
            halved = nn.Conv2d(narrow, wide, 4, 2, 1, bias=False)
            self.down.append(nn.Sequential(nn.LeakyReLU(0.2), halved, nn.BatchNorm2d(wide)))
        self.code = nn.Linear(latent_dim, widths[-1] * 16)
        self.up = nn.ModuleList()
        for wide, narrow in pairwise(widths[::-1]):
            doubled = nn.ConvTranspose2d(2 * wide, narrow, 4, 2, 1, bias=False)
            self.up.append(nn.Sequential(nn.ReLU(), doubled, nn.BatchNorm2d(narrow)))
        self.to_image = nn.Sequential(nn.ReLU(), nn.ConvTranspose2d(2 * widths[0], channels, 4, 2, 1), nn.Tanh())
        initialise(self)

    def forward(self, z: Tensor, sources: Tensor) -> Tensor:
        kept = [sources]
        for layer in self.down:
            kept.append(layer(kept[-1]))
        x = self.code(z).view_as(kept[-1])
        for layer, skipped in zip([*self.up, self.to_image], kept[:0:-1], strict=True):
            x = layer(torch.cat([x, skipped], dim=1))
        return x


class PairDiscriminator(nn.Module):
    """(sources and images side by side (N, 1 + C, H, W), 0) -> logits (N, P)."""

    def __init__(self, image_size: int, channels: int, features: int) -> None:
        super().__init__()
        self.network = PatchNetwork(image_size, SOURCE_CHANNELS + channels, features, nn.BatchNorm2d)

    def forward(self, pairs: Tensor, domain: int) -> Tensor:
        return self.network(pairs)


def build(
    image_size: int,
    channels: int,
    classes: int,
    sources: str,
    latent_dim: int,
    generator_features: int,
    discriminator_features: int,
    label_smoothing: float,
    l1_weight: float,
    **training: float,
) -> Translator:
    """The settings are those of ``gan.variants.pix2pix``. Losses: Isola et al. 2017, eq. 1 and 4."""
    generator = UNet(image_size, channels, latent_dim, generator_features)
    of_real = partial(real_loss, label_smoothing=label_smoothing)

    def generator_loss(
        discriminator: PatchDiscriminator, given: Tensor, targets: Tensor, z: Tensor
    ) -> tuple[dict[str, Tensor], list[Tensor]]:
        fake = generator(z, given).float()
        pairs = torch.cat([given, fake], dim=1)
        terms = {
            "adversarial": non_saturating_generator_loss(discriminator(pairs, 0)).mean(dim=1),
            "l1": l1_weight * absolute_error(targets, fake),
        }
        return terms, [pairs]

    def discriminator_loss(
        discriminator: PatchDiscriminator, given: Tensor, targets: Tensor, fakes: list[Tensor]
    ) -> dict[str, Tensor]:
        """Half of each. Source: Isola et al. 2017, section 3.3."""
        return {
            "real": 0.5 * of_real(discriminator(torch.cat([given, targets], dim=1), 0)).mean(dim=1),
            "fake": 0.5 * fake_loss(discriminator(fakes[0], 0)).mean(dim=1),
        }

    return Translator(
        generator=generator,
        discriminator=PairDiscriminator(image_size, channels, discriminator_features),
        latent_dim=latent_dim,
        sources=sources,
        paired=True,
        training=TwoRates(**training),
        generator_loss=generator_loss,
        discriminator_loss=discriminator_loss,
    )
