"""Laws of grouping and splitting, over tables of every make."""

import numpy as np
import pandas as pd
from hypothesis import strategies as st

from pipeline.assignment import NAMES
from pipeline.decoding import THUMBNAIL
from pipeline.errors import InputError
from pipeline.params.split import SplitParams
from pipeline.perceptual_hash import FREQUENCIES
from pipeline.split import group, moved_images, split
from tests.properties import holds_for

KEYS = ("patient_id", "lesion_id", "sha256", "phash")


def table_of(count: int, variety: int, malignant: float, sources: int, official: float, seed: int) -> pd.DataFrame:
    """Packed images of which some share a patient, a lesion, a file or a look; the more variety, the fewer.

    Args:
        official: share of images with an official split.
    """
    rng = np.random.default_rng(seed)
    bits = rng.integers(0, 2, (variety, FREQUENCIES**2), dtype=np.uint8)
    looks = [np.packbits(row).tobytes().hex() for row in bits]
    ids = np.array([f"I{number:04d}" for number in range(count)])
    columns = {
        name: np.array(["", *map(str, range(variety))])[rng.integers(0, variety + 1, count)] for name in KEYS[:2]
    }
    some = rng.random((2, count)) < 0.1
    return pd.DataFrame(
        {
            "image_id": rng.permutation(ids),
            "row": range(count),
            "target": (rng.random(count) < malignant).astype(int),
            **columns,
            "source": rng.integers(0, sources, count).astype(str),
            "official_split": np.where(rng.random(count) < official, rng.choice(NAMES, count), ""),
            "sha256": np.where(some[0], rng.integers(0, variety, count).astype(str), ids),
            "phash": np.where(some[1], np.array(looks)[rng.integers(0, variety, count)], ""),
        }
    )


@holds_for(
    500,
    count=st.integers(3, 150),
    variety=st.integers(1, 400),
    malignant=st.floats(0.02, 0.98),
    sources=st.integers(1, 40),
    official=st.sampled_from([0.0, 0.5, 1.0]),
    seed=st.integers(0, 10**6),
)
def test_no_group_is_split_no_row_lost_and_the_order_of_rows_does_not_matter(
    count: int, variety: int, malignant: float, sources: int, official: float, seed: int
) -> None:
    images = table_of(count, variety, malignant, sources, official, seed)
    params = SplitParams(
        train=0.5, val=0.2, test=0.3, official=official > 0, duplicate_distance=40, duplicate_correlation=0.94
    )
    shown = np.random.default_rng(0).integers(60, 200, (1, THUMBNAIL, THUMBNAIL), dtype=np.uint8)
    thumbnails = shown.repeat(count, axis=0)  # the hashes decide
    try:
        grouped, duplicates = group(images, thumbnails, params)
        splits = split(grouped, params, seed)
    except InputError:  # a class that does not reach every split
        return
    assert splits["row"].tolist() == list(range(count))
    assert splits["image_id"].tolist() == images["image_id"].tolist()
    assert set(splits["split"]) == set(NAMES)
    for key in KEYS:
        known = images[key] != ""
        assert not known.any() or splits[known].groupby(images.loc[known, key])["split"].nunique().max() == 1
    split_of = splits.set_index("image_id")["split"]
    assert (split_of[duplicates["first"]].to_numpy() == split_of[duplicates["second"]].to_numpy()).all()
    held_out = splits["official_split"].isin(["val", "test"])
    assert not (splits["split"] == "train")[held_out].any()  # what was held out is never trained on
    assert not (splits["split"] == "val")[splits["official_split"] == "test"].any()
    assert set(moved_images(splits)["from"]) <= {"train", "val"}

    shuffled, pairs = group(images.sample(frac=1, random_state=seed), thumbnails, params)
    pd.testing.assert_frame_equal(split(shuffled, params, seed), splits)
    pd.testing.assert_frame_equal(pairs, duplicates)
