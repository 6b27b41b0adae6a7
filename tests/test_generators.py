"""The contract of models/generators, over every registered variant."""

from typing import Any

import pytest
import torch

from models.generators import VARIANTS, build_variant
from models.generators.families import Adversarial
from models.generators.sngan import SnganDiscriminator
from models.layers import feature_maps
from pipeline.params.generators import SETTINGS

SMALL = {"generator_features": 8, "discriminator_features": 8}


def built(
    name: str, smoke_params: dict[str, Any], image_size: int = 32, channels: int = 3, **changed: Any
) -> Adversarial:
    settings = SETTINGS[name].model_validate(smoke_params["gan"]["variants"][name] | SMALL | changed)
    torch.manual_seed(0)
    return build_variant(name, image_size=image_size, channels=channels, **settings.model_dump())


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("image_size", [32, 64, 128, 256])
@pytest.mark.parametrize("name", VARIANTS)
def test_generators_give_images_of_the_asked_shape_and_range(
    name: str, image_size: int, channels: int, smoke_params: dict[str, Any]
) -> None:
    variant = built(name, smoke_params, image_size, channels)
    labels = torch.zeros(2, dtype=torch.long)
    images = variant.sample(labels, torch.Generator().manual_seed(0))
    assert images.shape == (2, channels, image_size, image_size)
    assert images.abs().max() <= 1
    assert variant.discriminator(images, labels).shape == (2,)


@pytest.mark.parametrize("name", VARIANTS)
def test_every_parameter_gets_a_gradient(name: str, smoke_params: dict[str, Any]) -> None:
    variant = built(name, smoke_params)
    labels = torch.zeros(4, dtype=torch.long)
    real = torch.rand(4, 3, 32, 32) * 2 - 1
    fake = variant.generator(variant.latents(4, torch.Generator().manual_seed(0)), labels)
    terms = variant.generator_loss(variant.discriminator, real, fake, labels)
    torch.stack([term.mean() for term in terms.values()]).sum().backward()
    for parameter_name, parameter in variant.generator.named_parameters():
        assert parameter.grad is not None, parameter_name
        assert parameter.grad.abs().sum() > 0, parameter_name
    variant.discriminator.zero_grad()
    terms = variant.discriminator_loss(variant.discriminator, real, fake.detach(), labels)
    # Weighted apart, as the two halves of a hinge loss cancel in the last bias.
    torch.stack([weight * term.mean() for weight, term in enumerate(terms.values(), 1)]).sum().backward()
    for parameter_name, parameter in variant.discriminator.named_parameters():
        assert parameter.grad is not None, parameter_name
        assert parameter.grad.abs().sum() > 0, parameter_name


@pytest.mark.parametrize("name", VARIANTS)
def test_losses_are_named_and_per_sample(name: str, smoke_params: dict[str, Any]) -> None:
    variant = built(name, smoke_params)
    labels = torch.zeros(4, dtype=torch.long)
    images = torch.zeros(4, 3, 32, 32)
    for loss in (variant.generator_loss, variant.discriminator_loss):
        terms = loss(variant.discriminator, images, images, labels)
        assert terms
        assert all(term.shape == (4,) for term in terms.values())


@pytest.mark.parametrize("name", VARIANTS)
def test_a_discriminator_that_tells_real_from_fake_has_the_lower_loss(name: str, smoke_params: dict[str, Any]) -> None:
    variant = built(name, smoke_params)
    real, fake, labels = torch.ones(4, 1, 1, 1), -torch.ones(4, 1, 1, 1), torch.zeros(4)

    def loss(sign: float) -> float:
        terms = variant.discriminator_loss(lambda images, _: sign * images.flatten(), real, fake, labels)
        return float(torch.stack([term.mean() for term in terms.values()]).sum())

    assert loss(1.0) < loss(0.0) < loss(-1.0)


@pytest.mark.parametrize("name", VARIANTS)
def test_a_generator_that_deceives_has_the_lower_loss(name: str, smoke_params: dict[str, Any]) -> None:
    variant = built(name, smoke_params)
    fake = torch.ones(4, 1, 1, 1)

    def loss(sign: float) -> float:
        terms = variant.generator_loss(lambda images, _: sign * images.flatten(), fake, fake, torch.zeros(4))
        return float(torch.stack([term.mean() for term in terms.values()]).sum())

    assert loss(1.0) < loss(-1.0)


@pytest.mark.parametrize("name", VARIANTS)
def test_sampling_in_eval_mode_is_deterministic_and_survives_a_state_dict(
    name: str, smoke_params: dict[str, Any]
) -> None:
    variant, other = built(name, smoke_params), built(name, smoke_params)
    with torch.no_grad():
        for parameter in variant.generator.parameters():
            parameter.add_(0.01)
    other.generator.load_state_dict(variant.generator.state_dict())
    labels = torch.zeros(3, dtype=torch.long)
    drawn = [
        each.sample(labels, torch.Generator().manual_seed(5))
        for each in (variant, variant, other)
        if each.generator.eval() is not None
    ]
    assert torch.equal(drawn[0], drawn[1])
    assert torch.equal(drawn[0], drawn[2])


def test_an_unknown_variant_is_named_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match=r"'stylegan'; known variants: dcgan, sngan"):
        build_variant("stylegan")


def test_sngan_layers_have_spectral_norm_one_after_steps(smoke_params: dict[str, Any]) -> None:
    discriminator = built("sngan", smoke_params).discriminator
    images, labels = torch.randn(8, 3, 32, 32), torch.zeros(8)
    for _ in range(60):
        discriminator(images, labels)
    discriminator.eval()
    layers = [layer for layer in discriminator.modules() if hasattr(layer, "parametrizations")]
    assert len(layers) == 7
    for layer in layers:
        assert float(torch.linalg.matrix_norm(layer.weight.detach().flatten(1), 2)) == pytest.approx(1, abs=0.01)


@pytest.mark.parametrize("image_size", [32, 64, 128, 256])
def test_sngan_logits_begin_within_reach_of_the_margins(image_size: int) -> None:
    """The hinge turns at 1 and -1; eight and more layers that each lose a third would never come near."""
    images = torch.linspace(-1, 1, image_size).expand(1, 3, image_size, -1)
    logits = []
    for seed in range(8):
        torch.manual_seed(seed)
        discriminator = SnganDiscriminator(image_size, 3, 8)
        for _ in range(5):
            discriminator(images, torch.zeros(1))
        logits.append(discriminator.eval()(images, torch.zeros(1)).detach())
    assert 0.1 < torch.cat(logits).abs().mean() < 3


def test_dcgan_settings_change_the_networks(smoke_params: dict[str, Any]) -> None:
    full, light = (built("dcgan", smoke_params, light=light).discriminator for light in (False, True))
    assert sum(p.numel() for p in light.parameters()) < sum(p.numel() for p in full.parameters()) / 2
    assert isinstance(list(light.modules())[-1], torch.nn.Linear)
    leaky = built("dcgan", smoke_params, generator_activation="leaky_relu").generator
    assert any(isinstance(layer, torch.nn.LeakyReLU) for layer in leaky.modules())
    fake = torch.zeros(2, 1, 1, 1)
    for loss, expected in (("minimax", -0.6931), ("non_saturating", 0.6931)):
        terms = built("dcgan", smoke_params, loss=loss).generator_loss(lambda x, _: x.flatten(), fake, fake, fake)
        assert terms["adversarial"].tolist() == pytest.approx([expected] * 2, abs=1e-4)


def test_feature_maps_double_up_to_eight_times() -> None:
    assert feature_maps(32, 6) == [32, 64, 128, 256, 256, 256]
