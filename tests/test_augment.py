"""Augmentation of batches; torchvision is the oracle, image by image, wherever it defines an operation alike."""

import math

import pytest
import torch
from torchvision.transforms import v2

from models import augment, views

RNG_SEED = 3


def drawn(function, images, *args):
    return function(images, torch.Generator().manual_seed(RNG_SEED), *args)


@pytest.fixture
def images() -> torch.Tensor:
    return torch.rand(16, 3, 32, 32, generator=torch.Generator().manual_seed(0)) * 1.6 - 0.8


POLICIES = {
    "standard": augment.standard,
    "rand_augment": augment.rand_augment,
    "view": views.view,
    "damaged_view": views.damaged_view,
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
    for policy in (augment.standard, augment.rand_augment):
        assert len({tuple(image.flatten().tolist()) for image in drawn(policy, same)}) > 8


def test_rand_augment_leaves_the_global_stream_and_the_range_alone(images) -> None:
    torch.manual_seed(1)
    expected = torch.rand(3)
    torch.manual_seed(1)
    changed = drawn(augment.rand_augment, images)
    assert torch.equal(torch.rand(3), expected)
    assert changed.min() >= -1
    assert changed.max() <= 1


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


def test_symmetries_are_the_lossless_part_of_a_policy() -> None:
    """A bright corner reaches the places that the flips and turns of the policy give it, and keeps its value."""
    corner = torch.zeros(400, 1, 4, 4)
    corner[:, 0, 0, 1] = 1
    for policy, places in {
        ("color", "cutout", "translation"): 1,
        ("flip", "color"): 2,
        ("cutout", "dihedral"): 8,
    }.items():
        turned = drawn(augment.symmetries(policy), corner)
        assert turned.sum(dim=(1, 2, 3)).tolist() == [1] * 400
        assert (turned.sum(dim=(0, 1)) > 0).sum() == places


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


@pytest.fixture
def draws(monkeypatch: pytest.MonkeyPatch) -> list[torch.Tensor]:
    """What the operations have drawn, (N,) each, in order."""
    recorded: list[torch.Tensor] = []
    uniform = augment.uniform

    def recording(*given) -> torch.Tensor:
        value = uniform(*given)
        recorded.append(value.flatten())
        return value

    monkeypatch.setattr(augment, "uniform", recording)
    return recorded


def one_by_one(function, images: torch.Tensor, *values) -> torch.Tensor:
    """torchvision's function on images in [0, 1], each with its own values; in [-1, 1]."""
    images = (images + 1) / 2
    each = zip(images, *(value.tolist() for value in values), strict=True)
    return torch.stack([function(image, *own) for image, *own in each]) * 2 - 1


def test_dihedral_is_torchvisions_flips_and_quarter_turn(images, draws) -> None:
    def theirs(image: torch.Tensor, left_right: float, up_down: float, transposed: float) -> torch.Tensor:
        image = v2.functional.horizontal_flip(image) if left_right < 0.5 else image
        image = v2.functional.vertical_flip(image) if up_down < 0.5 else image
        return v2.functional.vertical_flip(v2.functional.rotate(image, 90)) if transposed < 0.5 else image

    ours = drawn(augment.dihedral, images)
    assert torch.allclose(ours, one_by_one(theirs, images, *draws), atol=1e-6)


@pytest.mark.parametrize("channels", [1, 3])
def test_shift_scale_rotate_is_torchvisions_affine_on_the_mirrored_image(channels: int, images, draws) -> None:
    images = images[:, :channels]
    size = images.shape[2]

    def theirs(image: torch.Tensor, degrees: float, zoom: float, x: float, y: float) -> torch.Tensor:
        """Ours shifts before it turns, by halves of a side, and the other way."""
        cos, sin = math.cos(math.radians(degrees)) * zoom, math.sin(math.radians(degrees)) * zoom
        shift = [-(cos * x + sin * y) * size / 2, -(cos * y - sin * x) * size / 2]
        mirrored = v2.functional.pad(image, [size] * 4, padding_mode="symmetric")
        moved = v2.functional.affine(
            mirrored, -degrees, shift, zoom, [0, 0], interpolation=v2.InterpolationMode.BILINEAR
        )
        return v2.functional.center_crop(moved, [size, size])

    ours = drawn(augment.shift_scale_rotate, images, 0.2, 0.3, 60)
    assert not torch.allclose(ours, images, atol=0.1)
    assert torch.allclose(ours, one_by_one(theirs, images, *draws), atol=1e-4)


def test_brightness_adds_what_is_drawn(images, draws) -> None:
    ours = drawn(augment.brightness, images, 0.15)
    assert torch.allclose(ours, one_by_one(lambda image, added: image + added / 2, images, *draws), atol=1e-6)


def test_contrast_is_torchvisions_where_the_luma_is_the_mean(images, draws) -> None:
    gray = images[:, :1]
    ours = drawn(augment.contrast, gray, 0.2)
    assert torch.allclose(ours, one_by_one(v2.functional.adjust_contrast, gray, *draws), atol=1e-6)


def test_saturation_is_torchvisions_where_the_luma_is_the_mean(images, draws) -> None:
    red, green = images[:, 0] / 4, images[:, 1] / 4
    luma = torch.tensor([0.2989, 0.587, 0.114]) - 1 / 3  # torchvision's weights, less the mean's
    blue = -(luma[0] * red + luma[1] * green) / luma[2]
    colours = torch.stack([red, green, blue], 1)
    ours = drawn(augment.saturation, colours, 0.2)
    assert torch.allclose(ours, one_by_one(v2.functional.adjust_saturation, colours, *draws), atol=2e-4)


@pytest.mark.parametrize("degrees", [120, -120])
def test_hue_is_torchvisions_where_the_two_agree(degrees: int, images, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(augment, "uniform", lambda images, *given: torch.full((len(images), 1, 1, 1), float(degrees)))
    ours = drawn(augment.hue, images, 180)
    turned = torch.full((len(images),), degrees / 360)
    assert torch.allclose(ours, one_by_one(v2.functional.adjust_hue, images, turned), atol=1e-5)


def test_cutout_is_torchvisions_erase(images) -> None:
    size, side = images.shape[2], 0.3 * images.shape[2]
    ours = drawn(augment.cutout, images, 0.3)
    centres = torch.rand(2, len(images), 1, generator=torch.Generator().manual_seed(RNG_SEED)) * size

    def theirs(image: torch.Tensor, y: float, x: float) -> torch.Tensor:
        top, left = (max(0, math.ceil(centre - side / 2 - 0.5)) for centre in (y, x))
        bottom, right = (math.ceil(centre + side / 2 - 0.5) for centre in (y, x))
        return v2.functional.erase(image, top, left, bottom - top, right - left, torch.tensor(0.5))

    assert torch.allclose(ours, one_by_one(theirs, images, *centres.squeeze(2)), atol=1e-6)


@pytest.mark.parametrize(("mirrored", "padding_mode"), [(False, "constant"), (True, "reflect")])
def test_translation_is_torchvisions_crop_of_the_padded_image(mirrored: bool, padding_mode: str, images) -> None:
    size, reach = images.shape[2], images.shape[2] // 8
    shifts = torch.randint(0, 2 * reach + 1, (len(images), 2), generator=torch.Generator().manual_seed(RNG_SEED))

    def theirs(image: torch.Tensor, top: int, left: int) -> torch.Tensor:
        padded = v2.functional.pad(image, [reach] * 4, padding_mode=padding_mode)
        return v2.functional.crop(padded, top, left, size, size)

    ours = drawn(augment.translation, images, 0.125, mirrored)
    assert torch.allclose(ours, one_by_one(theirs, images, *shifts.T), atol=1e-6)


@pytest.mark.parametrize(("channels", "draws_of_colour"), [(3, 4), (1, 3)])
def test_standard_draws_each_operation_from_its_range(channels: int, draws_of_colour: int, draws) -> None:
    augment.standard(torch.zeros(4000, channels, 4, 4), torch.Generator().manual_seed(RNG_SEED))
    colour = [(-0.15, 0.15), (0.8, 1.2), (0.8, 1.2), (-8, 8)][:draws_of_colour]
    moved = [(-30, 30), (0.85, 1.15), (-0.12, 0.12), (-0.12, 0.12), (0, 1)]
    ranges = [*[(0, 1)] * 3, *moved, *colour, (0, 1)]
    assert len(draws) == len(ranges)
    for values, (low, high) in zip(draws, ranges, strict=True):
        assert values.min() == pytest.approx(low, abs=0.005 * (high - low))
        assert values.max() == pytest.approx(high, abs=0.005 * (high - low))
        assert values.mean() == pytest.approx((low + high) / 2, abs=0.02 * (high - low))


def test_standard_moves_seven_of_ten_and_cuts_three_of_ten(monkeypatch: pytest.MonkeyPatch) -> None:
    """Contrast, saturation and hue keep a gray image, so its value says what was done to it."""
    monkeypatch.setattr(augment, "shift_scale_rotate", lambda images, rng, **given: images + 0.5)
    monkeypatch.setattr(augment, "cutout", lambda images, rng, fraction: images + 0.25)
    monkeypatch.setattr(augment, "brightness", lambda images, rng, strength: images)
    values = augment.standard(torch.zeros(4000, 3, 2, 2), torch.Generator().manual_seed(RNG_SEED))[:, 0, 0, 0]
    moved = (values > 0.4).float()
    cut = (values - 0.5 * moved > 0.1).float()
    assert moved.mean() == pytest.approx(0.7, abs=0.03)
    assert cut.mean() == pytest.approx(0.3, abs=0.03)
