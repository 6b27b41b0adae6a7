from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from pipeline.perceptual_hash import BITS, _turns, perceptual_hash, similar_pairs

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
LIMIT = 40


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


def test_a_picture_that_shows_nothing_has_no_hash_and_is_like_no_other():
    blank = perceptual_hash(Image.new("RGB", (50, 40), (200, 150, 130)))
    assert blank == ""
    assert similar_pairs([blank, blank, perceptual_hash(picture(0))], BITS) == []


@pytest.mark.parametrize(
    "change",
    [
        lambda image: reencoded(image, 30),
        lambda image: image.resize((60, 45), Image.Resampling.BICUBIC),
        lambda image: image.resize((400, 300), Image.Resampling.BILINEAR),
        lambda image: image.resize((70, 90), Image.Resampling.BICUBIC),
        lambda image: image.point(lambda value: min(255, value * 1.1)),
    ],
    ids=["re-encoded", "smaller", "larger", "squashed", "brighter"],
)
@pytest.mark.parametrize("turn", TRANSPOSES)
def test_a_changed_and_turned_copy_is_found_and_its_turn_named(change, turn):
    for seed in range(5):
        original = picture(seed)
        [pair] = similar_pairs([perceptual_hash(original), perceptual_hash(change(turned(original, turn)))], LIMIT)
        assert pair.distance <= LIMIT
        copy = turned(change(turned(original, turn)), pair.turn).resize(original.size)
        difference = np.asarray(copy, dtype=float) - np.asarray(original, dtype=float)
        assert abs(difference - difference.mean()).mean() < 12  # turned back, it is the original


@pytest.mark.parametrize("turn", TRANSPOSES)
def test_the_hash_of_a_turned_picture_follows_from_the_hash(turn):
    square = picture(1, 96, 96)
    signs = [
        [1 if bit else -1 for bit in np.unpackbits(np.frombuffer(bytes.fromhex(code), np.uint8))]
        for code in (perceptual_hash(square), perceptual_hash(turned(square, turn)))
    ]
    plain, expected = (np.array(values, dtype=np.float32).reshape(1, 16, 16) for values in signs)
    computed = _turns(plain)[turn]
    assert (computed != expected).sum() <= 4  # rounding of a coefficient near zero


def test_different_pictures_are_far_apart():
    hashes = [perceptual_hash(picture(seed)) for seed in range(60)]
    assert similar_pairs(hashes, LIMIT) == []
    assert len(similar_pairs(hashes, BITS)) == 60 * 59 // 2


def test_pairs_and_distances_are_those_of_a_plain_loop():
    rng = np.random.default_rng(0)
    base = rng.integers(0, 2, (40, 16, 16), dtype=np.uint8)
    base[:, 0, 0] = 0
    for number in range(20, 40):  # turned copies with some bits flipped
        source = base[number - 20].astype(np.float32)[None] * 2 - 1
        copy = (_turns(source)[list(TRANSPOSES)[number % 8]][0] > 0).astype(np.uint8)
        copy.flat[rng.choice(np.arange(1, 256), number, replace=False)] ^= 1
        base[number] = copy
    hashes = [np.packbits(bits).tobytes().hex() for bits in base]
    expected = {}
    for one in range(40):
        for two in range(one + 1, 40):
            signs = base[two].astype(np.float32)[None] * 2 - 1
            distances = [
                int(((view[0].ravel()[1:] > 0) != (base[one].ravel()[1:] > 0)).sum()) for view in _turns(signs).values()
            ]
            if min(distances) <= 45:
                expected[one, two] = min(distances)
    found = similar_pairs(hashes, 45)
    assert {(pair.first, pair.second): pair.distance for pair in found} == expected
    assert len(expected) >= 20
    assert found == sorted(found)


def test_of_many_equal_hashes_each_is_joined_to_the_first_only():
    code = perceptual_hash(picture(3))
    pairs = similar_pairs([code, perceptual_hash(picture(4)), code, code], LIMIT)
    assert [(pair.first, pair.second, pair.distance) for pair in pairs] == [(0, 2, 0), (0, 3, 0)]


def test_no_hashes_give_no_pairs():
    assert similar_pairs([], LIMIT) == similar_pairs(["", ""], LIMIT) == []
