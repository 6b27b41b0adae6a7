import numpy as np
import pytest
from PIL import Image

from pipeline.decoding import THUMBNAIL, _thumbnail
from pipeline.registration import TURNS, black_frame, details, shifted_correlation
from tests.test_perceptual_hash import TRANSPOSES, picture, turned


def pictures(*images: Image.Image) -> np.ndarray:
    return np.stack([_thumbnail(image) for image in images])


@pytest.mark.parametrize("turn", TRANSPOSES)
def test_turns_are_those_of_the_image(turn):
    square = picture(0, THUMBNAIL, THUMBNAIL)
    turned_first = _thumbnail(turned(square, turn))
    assert (TURNS[turn](_thumbnail(square)[None])[0] == turned_first).all()


def test_a_picture_moved_by_a_little_correlates_and_another_does_not():
    whole = picture(0, 480, 360)
    crops = [whole.crop((left, top, left + 440, top + 330)) for left, top in ((20, 15), (5, 25), (40, 0))]
    same = shifted_correlation(pictures(*[crops[0]] * 3), pictures(*crops))
    others = shifted_correlation(pictures(*[crops[0]] * 3), pictures(*(picture(seed, 440, 330) for seed in (1, 2, 3))))
    assert same[0] == pytest.approx(1)
    assert same.min() > 0.9
    assert others.max() < 0.6


def test_light_and_contrast_do_not_count_and_a_flat_picture_is_like_nothing():
    image = picture(0, THUMBNAIL, THUMBNAIL)
    across = np.linspace(0.6, 1, THUMBNAIL)[None, :, None]
    lit = Image.fromarray((np.asarray(image) * across * 0.8).astype(np.uint8))
    flat = Image.new("RGB", (THUMBNAIL, THUMBNAIL), (120, 120, 120))
    correlation = shifted_correlation(pictures(image, image), pictures(lit, flat))
    assert correlation[0] > 0.97
    assert correlation[1] == 0


def test_the_correlation_is_pearsons_at_the_best_of_all_shifts():
    rng = np.random.default_rng(0)
    first, second = (rng.integers(100, 200, (1, THUMBNAIL, THUMBNAIL), dtype=np.uint8) for _ in range(2))
    everything = np.ones(first.shape, dtype=bool)
    fixed, moving = (details(thumbnails, everything)[0] for thumbnails in (first, second))
    plain = max(
        np.corrcoef(fixed[3:-3, 3:-3].ravel(), moving[y : y + THUMBNAIL - 6, x : x + THUMBNAIL - 6].ravel())[0, 1]
        for y in range(7)
        for x in range(7)
    )
    assert shifted_correlation(first, second)[0] == pytest.approx(plain, abs=1e-5)


def framed(image: Image.Image) -> Image.Image:
    """Seen through a tube: black but for a disc."""
    across, down = np.meshgrid(*[np.linspace(-1, 1, THUMBNAIL)] * 2)
    return Image.fromarray((np.asarray(image) * (across**2 + down**2 < 0.8)[..., None]).astype(np.uint8))


def test_different_lesions_in_the_same_black_frame_do_not_correlate_and_the_same_one_does():
    first, other = (picture(seed, THUMBNAIL, THUMBNAIL).point(lambda value: 100 + value // 3) for seed in (0, 1))
    moved = Image.fromarray(np.roll(np.asarray(first), 2, axis=1))
    correlation = shifted_correlation(pictures(*[framed(first)] * 2), pictures(framed(other), framed(moved)))
    assert correlation[0] < 0.6
    assert correlation[1] > 0.8


def test_a_dark_lesion_in_the_middle_is_no_frame():
    gray = np.full((1, THUMBNAIL, THUMBNAIL), 180, dtype=np.float32)
    gray[:, 16:32, 16:32] = 10
    assert not black_frame(gray).any()
    gray[:, :8] = 5
    assert black_frame(gray)[0].sum() == (8 + 2) * THUMBNAIL
