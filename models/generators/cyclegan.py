"""CycleGAN: images of one class to the other and back, without pairs. Source: Zhu et al. 2017."""

from torch import Tensor, nn

from models.generators.families import PatchDiscriminator, Translator, TwoRates
from models.generators.translators import PatchNetwork
from models.layers import initialise
from models.losses import (
    absolute_error,
    least_squares_fake_loss,
    least_squares_generator_loss,
    least_squares_real_loss,
)

TARGET, SOURCE = 0, 1  # the domains


class ResidualBlock(nn.Module):
    """Source: Johnson et al. 2016, as used by Zhu et al. 2017, section 7.2."""

    def __init__(self, features: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for activation in (nn.ReLU(), nn.Identity()):
            layers += [nn.Conv2d(features, features, 3, 1, 1, padding_mode="reflect", bias=False)]
            layers += [nn.InstanceNorm2d(features, affine=True), activation]
        self.layers = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.layers(x)


class ResidualTranslator(nn.Module):
    """images (N, C, H, W) in [-1, 1] -> the same. Source: Zhu et al. 2017, section 7.2.

    Differs from the paper: pixels are repeated and smoothed by a convolution where it has transposed ones, which leave
    a grid.
    """

    def __init__(self, channels: int, features: int, blocks: int) -> None:
        super().__init__()

        def block(convolution: nn.Conv2d) -> list[nn.Module]:
            return [convolution, nn.InstanceNorm2d(convolution.out_channels, affine=True), nn.ReLU()]

        narrow, middle, wide = features, 2 * features, 4 * features
        self.layers = nn.Sequential(
            *block(nn.Conv2d(channels, narrow, 7, 1, 3, padding_mode="reflect", bias=False)),
            *block(nn.Conv2d(narrow, middle, 3, 2, 1, bias=False)),
            *block(nn.Conv2d(middle, wide, 3, 2, 1, bias=False)),
            *(ResidualBlock(wide) for _ in range(blocks)),
            nn.Upsample(scale_factor=2),
            *block(nn.Conv2d(wide, middle, 3, 1, 1, bias=False)),
            nn.Upsample(scale_factor=2),
            *block(nn.Conv2d(middle, narrow, 3, 1, 1, bias=False)),
            nn.Conv2d(narrow, channels, 7, 1, 3, padding_mode="reflect"),
            nn.Tanh(),
        )
        initialise(self)

    def forward(self, images: Tensor) -> Tensor:
        return self.layers(images)


class CycleGenerator(nn.Module):
    """(z (N, 0), sources (N, C, H, W) in [-1, 1]) -> images (N, C, H, W) in [-1, 1]; no noise plays a part."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, z: Tensor, sources: Tensor) -> Tensor:
        return self.network(sources)


class DomainDiscriminators(nn.Module):
    """(images (N, C, H, W) in [-1, 1], domain) -> logits (N, P), by that domain's own network."""

    def __init__(self, image_size: int, channels: int, features: int) -> None:
        super().__init__()
        self.networks = nn.ModuleList(
            PatchNetwork(image_size, channels, features, lambda width: nn.InstanceNorm2d(width, affine=True))
            for _ in (TARGET, SOURCE)
        )

    def forward(self, images: Tensor, domain: int) -> Tensor:
        return self.networks[domain](images)


def build(
    image_size: int,
    channels: int,
    classes: int,
    generator_features: int,
    discriminator_features: int,
    blocks: int,
    cycle_weight: float,
    identity_weight: float,
    pool_size: int,
    **training: float,
) -> Translator:
    """The settings are those of ``gan.variants.cyclegan``."""
    there, back = (ResidualTranslator(channels, generator_features, blocks) for _ in range(2))

    def generator_loss(
        discriminator: PatchDiscriminator, sources: Tensor, targets: Tensor, z: Tensor
    ) -> tuple[dict[str, Tensor], list[Tensor]]:
        """Source: Zhu et al. 2017, eq. 3 with section 4 (least squares), and section 5.2 (identity)."""
        fakes = [there(sources).float(), back(targets).float()]
        terms = {
            "adversarial": least_squares_generator_loss(discriminator(fakes[TARGET], TARGET)).mean(dim=1),
            "adversarial_back": least_squares_generator_loss(discriminator(fakes[SOURCE], SOURCE)).mean(dim=1),
            **reconstruction_losses(there, back, sources, targets, fakes, cycle_weight, identity_weight),
        }
        return terms, fakes

    def discriminator_loss(
        discriminator: PatchDiscriminator, sources: Tensor, targets: Tensor, fakes: list[Tensor]
    ) -> dict[str, Tensor]:
        terms = {}
        for domain, name, real in ((TARGET, "", targets), (SOURCE, "_back", sources)):
            terms[f"real{name}"] = least_squares_real_loss(discriminator(real, domain)).mean(dim=1)
            terms[f"fake{name}"] = least_squares_fake_loss(discriminator(fakes[domain], domain)).mean(dim=1)
        return terms

    return Translator(
        generator=CycleGenerator(there),
        companions=back,
        discriminator=DomainDiscriminators(image_size, channels, discriminator_features),
        latent_dim=0,
        sources="other_class",
        paired=False,
        training=TwoRates(**training),
        generator_loss=generator_loss,
        discriminator_loss=discriminator_loss,
        pool_size=pool_size,
    )


def reconstruction_losses(
    there: nn.Module,
    back: nn.Module,
    sources: Tensor,
    targets: Tensor,
    fakes: list[Tensor],
    cycle_weight: float,
    identity_weight: float,
) -> dict[str, Tensor]:
    """What went there and back is to be as it was, and what is there already is to stay.

    Args:
        fakes: ``there(sources)`` and ``back(targets)``.

    Source: Zhu et al. 2017, eq. 2 and section 5.2.
    """
    cycle = absolute_error(sources, back(fakes[TARGET])) + absolute_error(targets, there(fakes[SOURCE]))
    identity = absolute_error(targets, there(targets)) + absolute_error(sources, back(sources))
    return {"cycle": cycle_weight * cycle, "identity": identity_weight * identity}
