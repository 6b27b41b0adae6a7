from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from pipeline.perceptual_hash import perceptual_hash, signs
from pipeline.perceptual_hash import turned as turned_spectrum

TRANSPOSES = {
    "identity": None,
    "mirror": Image.Transpose.FLIP_LEFT_RIGHT,
    "flip": Image.Transpose.FLIP_TOP_BOTTOM,
    "rotate90": Image.Transpose.ROTATE_90,
    "rotate180": Image.Transpose.ROTATE_180,
    "rotate270": Image.Transpose.ROTATE_270,
    "transpose": Image.Transpose.TRANSPOSE,
    "transverse": Image.Transpose.TRANSVERSE,
}


def picture(seed: int, width: int = 120, height: int = 90) -> Image.Image:
    """Skin with blotches of every size."""
    rng = np.random.default_rng(seed)
    layers = np.zeros((height, width, 3))
    for cells in (3, 6, 12, 24):
        noise = Image.fromarray(rng.integers(0, 256, (cells, cells, 3), dtype=np.uint8))
        layers += np.asarray(noise.resize((width, height), Image.Resampling.BICUBIC), dtype=float) / cells
    return Image.fromarray((255 * (layers - layers.min()) / np.ptp(layers)).astype(np.uint8))


def reencoded(image: Image.Image, quality: int) -> Image.Image:
    buffer = BytesIO()
    image.save(buffer, "JPEG", quality=quality)
    return Image.open(buffer)


def turned(image: Image.Image, turn: str) -> Image.Image:
    transpose = TRANSPOSES[turn]
    return image if transpose is None else image.transpose(transpose)


def test_a_ramp_has_only_horizontal_frequencies_with_alternating_signs():
    ramp = Image.fromarray(np.tile(np.linspace(255, 0, 32), (32, 1)).astype(np.uint8))
    bits = np.unpackbits(np.frombuffer(bytes.fromhex(perceptual_hash(ramp)), np.uint8)).reshape(16, 16)
    assert bits[0, 1::2].all()  # brighter at the left: every odd cosine is positive
    assert bits[0, 0] == 0  # the mean brightness counts for nothing


def test_a_picture_that_shows_nothing_has_no_hash():
    assert perceptual_hash(Image.new("RGB", (50, 40), (200, 150, 130))) == ""


@pytest.mark.parametrize("turn", TRANSPOSES)
def test_the_hash_of_a_turned_picture_follows_from_the_hash(turn):
    square = picture(1, 96, 96)
    plain, expected = signs([perceptual_hash(square), perceptual_hash(turned(square, turn))])
    computed = turned_spectrum(plain[None], turn)[0]
    assert (computed != expected).sum() <= 4  # rounding of a coefficient near zero
