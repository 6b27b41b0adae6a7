"""Sliced Wasserstein distance: closed forms, and that it grows with whatever is done to the images."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter
from scipy.special import gammaln

from pipeline.errors import InputError
from pipeline.metrics import sliced_wasserstein as module
from pipeline.metrics.sliced_wasserstein import expanded, laplacian_pyramid, sliced_wasserstein


@pytest.fixture(autouse=True)
def _few_patches(monkeypatch):
    monkeypatch.setattr(module, "PATCHES", 2**12)
    monkeypatch.setattr(module, "DIRECTIONS", 64)


def lesions(count: int, seed: int, channels: int = 3) -> np.ndarray:
    """Dark discs of many places and sizes on grainy skin of many tones, 32 px."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:32, :32]
    centre, radius = rng.uniform(10, 22, (2, count, 1, 1)), rng.uniform(4, 12, (count, 1, 1))
    disc = (x - centre[0]) ** 2 + (y - centre[1]) ** 2 < radius**2
    skin = rng.uniform(150, 220, (count, 1, 1, channels))
    grain = gaussian_filter(rng.normal(size=(count, 32, 32, channels)), (0, 0.7, 0.7, 0)) * 12
    return packed(skin * np.where(disc, rng.uniform(0.3, 0.7, (count, 1, 1)), 1)[..., None] + grain)


def packed(images: np.ndarray) -> np.ndarray:
    return np.clip(images.round(), 0, 255).astype(np.uint8)


def distance(real: np.ndarray, fake: np.ndarray) -> float:
    return sliced_wasserstein(real, fake, np.random.default_rng(3))


REAL, HELD_OUT = lesions(300, seed=1), lesions(300, seed=2)
GRAIN = np.random.default_rng(4).normal(size=HELD_OUT.shape)
# Each with what is worse in the same way: strengths chosen so that the weaker is faint to the eye.
HARM = {
    "blur": [packed(gaussian_filter(HELD_OUT.astype(float), (0, sigma, sigma, 0))) for sigma in (0.6, 1, 2)],
    "noise": [packed(HELD_OUT + GRAIN * spread) for spread in (6, 12, 25)],
    "colour": [packed(HELD_OUT + np.array([shift, 0, -shift])) for shift in (8, 16, 32)],
    "modes": [
        HELD_OUT[np.argsort(HELD_OUT.mean(axis=(1, 2, 3)))[:kept]].repeat(300 // kept, axis=0) for kept in (150, 60, 10)
    ],
}


@pytest.mark.parametrize("harm", HARM)
def test_grows_with_what_is_done_to_the_images(harm):
    floor = distance(REAL, HELD_OUT)
    weak, middle, strong = (distance(REAL, images) for images in HARM[harm])
    assert floor * 1.5 < weak
    assert weak * 1.2 < middle
    assert middle * 1.2 < strong


def test_sets_of_one_kind_come_near_to_nothing_as_they_grow():
    known, other = lesions(600, seed=5), lesions(600, seed=6)
    assert distance(REAL, REAL) == 0
    few = np.mean([distance(known[start::20], other[start::20]) for start in range(5)])
    assert distance(known, other) < few / 2


@pytest.mark.parametrize(("size", "empty_levels"), [(16, 0), (32, 1), (64, 2)])
def test_of_flat_images_it_is_the_mean_length_of_a_projected_diagonal(monkeypatch, size, empty_levels):
    monkeypatch.setattr(module, "DIRECTIONS", 20000)
    monkeypatch.setattr(module, "PATCHES", 8)
    dark, light = (np.full((4, size, size, 1), value, dtype=np.uint8) for value in (60, 200))
    # Standardised the sets are at -1 and 1; the patches are 2 * 7 apart along the diagonal of 49 dimensions.
    share = np.exp(gammaln(49 / 2) - gammaln(50 / 2)) / np.sqrt(np.pi)  # mean |cosine| with a random direction
    assert distance(dark, light) == pytest.approx(14 * share / (1 + empty_levels), rel=0.02)


@pytest.mark.parametrize("shape", [(32, 64), (35, 50), (128, 128)])
def test_the_pyramid_ends_at_16_px_or_more_and_adds_up_to_the_images(shape):
    images = np.random.default_rng(7).random((2, *shape, 3), dtype=np.float32)
    *details, rest = laplacian_pyramid(images)
    assert 16 <= min(rest.shape[1:3]) < 32
    for detail in reversed(details):
        rest = detail + expanded(rest, detail.shape)
    assert rest == pytest.approx(images, abs=1e-5)


def test_flat_images_have_no_details():
    detail, rest = laplacian_pyramid(np.full((1, 32, 33, 1), 0.4, dtype=np.float32))
    assert detail == pytest.approx(np.zeros_like(detail), abs=1e-6)
    assert rest == pytest.approx(np.full_like(rest, 0.4))


def test_neither_the_order_of_the_sets_nor_the_chunks_matter(monkeypatch):
    expected = distance(REAL, HARM["blur"][0])
    assert distance(HARM["blur"][0], REAL) == pytest.approx(expected)
    monkeypatch.setattr(module, "CHUNK", 7)
    assert distance(REAL, HARM["blur"][0]) == expected


def test_of_unlike_numbers_as_many_are_drawn_as_the_smaller_has():
    alike = distance(REAL[:60], HELD_OUT[:1].repeat(60, axis=0))
    assert distance(REAL[:60], HELD_OUT[:1].repeat(500, axis=0)) == pytest.approx(alike, rel=0.15)
    assert distance(HELD_OUT[:1].repeat(500, axis=0), REAL[:60]) == pytest.approx(alike, rel=0.15)
    last_differ = np.concatenate([HELD_OUT[:60], 255 - HELD_OUT[60:]])
    assert distance(REAL[:60], last_differ) > 2 * distance(REAL[:60], HELD_OUT)  # drawn, not the first


def test_more_images_than_patches_and_one_channel(monkeypatch):
    monkeypatch.setattr(module, "PATCHES", 128)
    many = lesions(200, seed=8, channels=1)
    assert 0 < distance(many, many[::-1]) < distance(many, 255 - many)


def test_the_generator_alone_decides():
    assert distance(REAL, HELD_OUT) == distance(REAL, HELD_OUT)
    assert distance(REAL, HELD_OUT) != sliced_wasserstein(REAL, HELD_OUT, np.random.default_rng(4))


@pytest.mark.parametrize(
    ("fake", "message"),
    [
        (REAL[:0], "0 synthetic images"),
        (REAL[:, :16, :16], r"\(32, 32, 3\), synthetic \(16, 16, 3\)"),
        (REAL[..., :1], r"synthetic \(32, 32, 1\)"),
    ],
)
def test_sets_that_cannot_be_compared_are_refused(fake, message):
    with pytest.raises(InputError, match=message):
        distance(REAL, fake)


def test_images_too_small_are_refused():
    with pytest.raises(InputError, match="32x15 px"):
        distance(REAL[:, :15], HELD_OUT[:, :15])
