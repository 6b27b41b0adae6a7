"""The contract of models/generators, over every registered variant."""

from typing import Any

import pytest
import torch

from models.generators import VARIANTS, build_variant
from models.layers import feature_maps
from tests.variants import ADVERSARIAL, AUTOENCODERS, TRANSLATORS, built, told


def test_every_variant_belongs_to_a_family() -> None:
    assert sorted([*ADVERSARIAL, *AUTOENCODERS, *TRANSLATORS, "ddpm", "folder"]) == list(VARIANTS)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("image_size", [32, 64, 128, 256])
@pytest.mark.parametrize("name", VARIANTS)
def test_generators_give_images_of_the_asked_shape_and_range(
    name: str, image_size: int, channels: int, smoke_params: dict[str, Any]
) -> None:
    variant = built(name, smoke_params, image_size, channels)
    images = variant.sample(told(variant, 2, image_size, channels), torch.Generator().manual_seed(0))
    assert images.shape == (2, channels, image_size, image_size)
    assert images.abs().max() <= 1


@pytest.mark.parametrize("name", VARIANTS)
def test_sampling_in_eval_mode_is_deterministic_and_survives_a_state_dict(
    name: str, smoke_params: dict[str, Any]
) -> None:
    variant, other = built(name, smoke_params), built(name, smoke_params)
    with torch.no_grad():
        for parameter in variant.generator.parameters():
            parameter.add_(0.01)
    other.generator.load_state_dict(variant.generator.state_dict())
    drawn = [
        each.sample(told(variant, 3), torch.Generator().manual_seed(5))
        for each in (variant, variant, other)
        if each.generator.eval() is not None
    ]
    assert torch.equal(drawn[0], drawn[1])
    assert torch.equal(drawn[0], drawn[2])


def test_an_unknown_variant_is_named_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match=r"'stylegan'; known variants: acgan, autoencoder"):
        build_variant("stylegan")


def test_feature_maps_double_up_to_eight_times() -> None:
    assert feature_maps(32, 6) == [32, 64, 128, 256, 256, 256]
