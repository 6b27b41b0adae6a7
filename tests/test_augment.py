"""Augmentation of batches."""

import pytest
import torch

from models import augment

RNG_SEED = 3


def drawn(function, images, *args):
    return function(images, torch.Generator().manual_seed(RNG_SEED), *args)


@pytest.fixture
def images() -> torch.Tensor:
    return torch.rand(16, 3, 32, 32, generator=torch.Generator().manual_seed(0)) * 1.6 - 0.8


POLICIES = {
    "standard": augment.standard,
    "contrastive_view": augment.contrastive_view,
    "diff_augment": augment.diff_augment(["flip", "color", "translation", "cutout"]),
}


@pytest.mark.parametrize("name", POLICIES)
@pytest.mark.parametrize("channels", [1, 3])
def test_shape_is_kept_every_image_changes_and_the_seed_decides(name: str, channels: int, images) -> None:
    images = images[:, :channels]
    once = drawn(POLICIES[name], images)
    assert once.shape == images.shape
    assert torch.equal(once, drawn(POLICIES[name], images))
    assert not torch.equal(once, POLICIES[name](images, torch.Generator().manual_seed(RNG_SEED + 1)))
    assert torch.isfinite(once).all()


def test_images_of_a_batch_are_drawn_apart(images) -> None:
    same = images[:1].expand(16, -1, -1, -1)
    assert len({tuple(image.flatten().tolist()) for image in drawn(augment.standard, same)}) > 8


def test_diff_augment_passes_gradients(images) -> None:
    images.requires_grad_()
    drawn(POLICIES["diff_augment"], images).sum().backward()
    assert (images.grad.abs().sum(dim=(1, 2, 3)) > 0).all()


def test_dihedral_only_moves_pixels_and_reaches_all_eight_places() -> None:
    corner = torch.zeros(400, 1, 4, 4)
    corner[:, 0, 0, 1] = 1
    moved = drawn(augment.dihedral, corner)
    assert torch.equal(moved.sum(dim=(1, 2, 3)), torch.ones(400))
    counts = moved.sum(dim=(0, 1)).flatten()
    assert (counts > 0).sum() == 8
    assert counts[counts > 0].min() > 25


def test_translation_shifts_by_whole_pixels_up_to_the_fraction() -> None:
    image = torch.full((200, 1, 16, 16), -1.0)
    image[:, 0, 8, 8] = 1
    places = drawn(augment.translation, image, 0.125)[:, 0].eq(1).nonzero()
    assert len(places) == 200
    assert places[:, 1].min() == 6
    assert places[:, 1].max() == 10


def test_cutout_hides_the_fraction_in_gray() -> None:
    hidden = drawn(augment.cutout, torch.ones(200, 1, 16, 16), 0.5).eq(0).float().mean(dim=(1, 2, 3))
    assert hidden.max() == pytest.approx(0.25, abs=0.07)
    assert hidden.min() > 0


def test_no_shift_no_scale_no_rotation_is_the_identity(images) -> None:
    assert torch.allclose(drawn(augment.shift_scale_rotate, images, 0, 0, 0), images, atol=1e-5)


def test_hue_keeps_gray_and_brightness(images) -> None:
    turned = drawn(augment.hue, images, 30)
    assert torch.allclose(turned.mean(dim=1), images.mean(dim=1), atol=1e-5)
    gray = torch.full((4, 3, 8, 8), 0.3)
    assert torch.allclose(drawn(augment.hue, gray, 30), gray, atol=1e-5)
    assert not torch.allclose(turned, images, atol=0.01)


@pytest.mark.parametrize(("function", "neutral"), [("brightness", 0), ("contrast", 0), ("saturation", 0)])
def test_no_strength_is_the_identity(function: str, neutral: float, images) -> None:
    assert torch.allclose(drawn(getattr(augment, function), images, neutral), images, atol=1e-6)
    assert not torch.allclose(drawn(getattr(augment, function), images, 0.5), images, atol=0.01)
