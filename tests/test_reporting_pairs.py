"""Nearest pairs: the right images, turned as they were matched, beside real images that were held out."""

import base64
import io

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from pipeline.copies import References
from pipeline.images import at_size
from pipeline.registration import TURNS
from pipeline.reporting import pairs
from pipeline.reporting.audit import not_memorised
from pipeline.reporting.figures import likeness_figure

RNG = np.random.default_rng(0)
SIZE = 64


def photographs(count, channels=3):
    """Smooth and alike in no orientation."""
    small = RNG.integers(0, 256, (count, 6, 6, channels), dtype=np.uint8)
    return at_size(small, SIZE)


def shown(pair):
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(pair.picture.partition(",")[2]))), dtype=float)


@pytest.mark.parametrize("turn", TURNS)
@pytest.mark.parametrize("channels", [1, 3])
def test_the_training_image_is_turned_to_lie_as_the_synthetic_one_does(turn, channels):
    [training] = photographs(1, channels)
    synthetic = TURNS[turn](training[np.newaxis])[0]
    pair = pairs.nearest_pair(synthetic, training, {"seed": 4, "nearest_image_id": "a", "likeness": 0.0})
    picture = shown(pair)
    size = pairs.PAIR_SIZE
    assert pair.turn == turn
    assert abs(picture[:, :size] - picture[:, -size:]).mean() < 5
    assert (pair.seed, pair.nearest) == (4, "a")


@pytest.fixture
def near():
    """Generators 0 and 3, whose images are training images under ever more noise."""
    images = photographs(30)
    splits = pd.DataFrame({"image_id": [f"i{row}" for row in range(30)], "row": range(30), "target": [0, 1] * 15})
    splits["split"] = ["train"] * 20 + ["val"] * 4 + ["test"] * 6
    splits["group_id"] = splits["image_id"]
    train = np.arange(1, 20, 2)
    synthetic, manifests = {}, {}
    for seed in (0, 3):
        noise = RNG.normal(0, np.arange(1, 11)[:, None, None, None] * 12 + seed, (10, SIZE, SIZE, 3))
        synthetic[seed] = np.clip(images[train] + noise, 0, 255).astype(np.uint8)
        likeness, nearest = References(images[train]).likeness(synthetic[seed])
        rows = pd.DataFrame({"row": pd.array(range(10), dtype="Int64"), "likeness": likeness, "copy": False})
        rows["nearest_image_id"] = [f"i{row}" for row in train[nearest]]
        dropped = pd.DataFrame({"row": [None], "likeness": [0.999], "copy": [True], "nearest_image_id": ["i1"]})
        manifests[seed] = pd.concat([dropped.astype(rows.dtypes), rows], ignore_index=True)
    return pairs.nearness(manifests, synthetic, images, splits, 1, 0.95), manifests, images


def test_the_nearest_of_all_seeds_come_first_and_copies_are_not_shown(near):
    found, manifests, _ = near
    kept = pd.concat(manifests.values()).query("not copy")["likeness"].sort_values(ascending=False)
    assert [pair.likeness for pair in found.closest] == list(kept[: pairs.CLOSEST])
    assert {pair.seed for pair in found.closest} == {0, 3}
    assert found.copies == 2
    assert len(found.drawn) == 22


def test_typical_pairs_lie_at_the_median(near):
    found, manifests, _ = near
    kept = pd.concat(manifests.values()).query("not copy")["likeness"]
    likeness = [pair.likeness for pair in found.typical]
    assert len(likeness) == pairs.TYPICAL
    assert min(likeness) <= kept.median() <= max(likeness)


def test_the_pictures_are_of_the_images_that_the_manifest_names(near):
    found, _, images = near
    first = found.closest[0]
    picture = shown(first)
    training = at_size(images[int(first.nearest[1:])][np.newaxis], pairs.PAIR_SIZE)[0]
    assert abs(picture[:, -pairs.PAIR_SIZE :] - training).mean() < 5


def test_held_out_images_are_of_the_class_and_training_images_of_both(near):
    found, _, images = near
    expected, _ = References(images[:20]).likeness(images[21:30:2])
    assert found.held_out == pytest.approx(expected)


def test_many_held_out_images_are_thinned_evenly(monkeypatch):
    monkeypatch.setattr(pairs, "HELD_OUT", 3)
    splits = pd.DataFrame({"row": range(12), "split": ["train"] * 5 + ["test"] * 7, "target": 1, "group_id": range(12)})
    likeness, group = pairs.held_out_likeness(photographs(12), splits, 1)
    assert len(likeness) == len(group) == 3


def test_a_generator_that_memorised_is_nearer_to_its_training_images_than_new_ones_are():
    """Noisy training images below the threshold of copies; and images that no one has seen."""
    training, held_out, new = (photographs(count) for count in (60, 40, 50))
    noise = RNG.normal(0, 60, (50, SIZE, SIZE, 3))
    memorised = np.clip(training[:50] + noise, 0, 255).astype(np.uint8)
    references = References(training)
    real, group = references.likeness(held_out)[0], np.arange(40) // 2
    share, low, high = pairs.how_often_nearer(references.likeness(memorised)[0], real, group, 0.95)
    assert low > 0.9
    assert share <= high <= 1
    assert not_memorised({"malignant": (share, low, high)}).alarm
    fresh = pairs.how_often_nearer(references.likeness(new)[0], real, group, 0.95)
    assert fresh[1] < 0.5 < fresh[2]
    assert not not_memorised({"malignant": fresh}).alarm


def test_likeness_is_drawn_the_same_twice():
    likeness = {"synthetic": RNG.random(50), "real": RNG.random(9)}
    drawn = likeness_figure(likeness, 0.6)
    assert drawn.startswith("data:image/svg+xml")
    assert drawn == likeness_figure(likeness, 0.6)
    assert drawn != likeness_figure(likeness, 0.3)
