"""The search for pictures that look alike: what it finds is what comparing all with all would find."""

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from pipeline.decoding import THUMBNAIL, _thumbnail
from pipeline.lookalikes import similar_pairs
from pipeline.perceptual_hash import BITS, TURNS, perceptual_hash, signs
from pipeline.perceptual_hash import turned as turned_spectra
from pipeline.projection_forest import LEAF
from tests.test_perceptual_hash import TRANSPOSES, picture, reencoded, turned

LIMIT = 40


def found(images: list[Image.Image | np.ndarray], limit: int = LIMIT) -> list[tuple[int, int, int, str]]:
    thumbnails = np.stack([_thumbnail(image) for image in images])
    return rows(similar_pairs([perceptual_hash(image) for image in images], thumbnails, limit))


def rows(pairs: pd.DataFrame) -> list[tuple[int, int, int, str]]:
    return list(pairs.itertuples(index=False, name=None))


def test_a_picture_that_shows_nothing_is_like_no_other():
    blank = Image.new("RGB", (50, 40), (200, 150, 130))
    assert found([blank, blank, picture(0)], BITS) == []


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
        [(*_, distance, back)] = found([original, change(turned(original, turn))])
        assert distance <= LIMIT
        copy = turned(change(turned(original, turn)), back).resize(original.size)
        difference = np.asarray(copy, dtype=float) - np.asarray(original, dtype=float)
        assert abs(difference - difference.mean()).mean() < 12  # turned back, it is the original


def test_different_pictures_are_far_apart():
    pictures = [picture(seed) for seed in range(60)]
    assert found(pictures) == []
    assert len(found(pictures, BITS)) == 60 * 59 // 2


def test_pairs_and_distances_are_those_of_a_plain_loop():
    rng = np.random.default_rng(0)
    base = rng.integers(0, 2, (40, 16, 16), dtype=np.uint8)
    base[:, 0, 0] = 0
    for number in range(20, 40):  # turned copies with some bits flipped
        source = base[number - 20].astype(np.float32)[None] * 2 - 1
        copy = (turned_spectra(source, list(TURNS)[number % 8])[0] > 0).astype(np.uint8)
        copy.flat[rng.choice(np.arange(1, 256), number, replace=False)] ^= 1
        base[number] = copy
    hashes = [np.packbits(bits).tobytes().hex() for bits in base]
    expected = {}
    for one in range(40):
        for two in range(one + 1, 40):
            views = [turned_spectra(signs(hashes[two : two + 1]), turn)[0] > 0 for turn in TURNS]
            distances = [int((view != base[one]).sum()) for view in views]
            if min(distances) <= 45:
                expected[one, two] = min(distances)
    thumbnails = np.random.default_rng(1).integers(0, 256, (40, THUMBNAIL, THUMBNAIL), dtype=np.uint8)
    pairs = rows(similar_pairs(hashes, thumbnails, 45))
    assert {(first, second): distance for first, second, distance, _ in pairs} == expected
    assert len(expected) >= 20
    assert pairs == sorted(pairs)


def test_among_more_pictures_than_a_leaf_holds_copies_are_found_whatever_the_order():
    pictures = [picture(seed, 64, 48) for seed in range(5 * LEAF)]
    copies = [reencoded(turned(pictures[seed], list(TURNS)[seed % 8]), 30) for seed in range(40)]
    shuffled = np.random.default_rng(0).permutation(len(pictures) + 40)
    place = np.argsort(shuffled)
    pairs = found([[*pictures, *copies][index] for index in shuffled])
    expected = [tuple(sorted((place[seed], place[len(pictures) + seed]))) for seed in range(40)]
    assert [pair[:2] for pair in pairs] == sorted(expected)


def test_of_many_equal_hashes_each_is_joined_to_the_first_only():
    one, other = picture(3), picture(4)
    assert [pair[:3] for pair in found([one, other, one, one])] == [(0, 2, 0), (0, 3, 0)]


def test_no_hashes_give_no_pairs():
    nothing = np.zeros((2, THUMBNAIL, THUMBNAIL), dtype=np.uint8)
    assert rows(similar_pairs([], nothing[:0], LIMIT)) == rows(similar_pairs(["", ""], nothing, LIMIT)) == []
