from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import Phase, assume, given, settings
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter

from pipeline.assignment import NAMES, assign
from pipeline.decoding import THUMBNAIL
from pipeline.duplicates import duplicate_pairs
from pipeline.errors import InputError
from pipeline.grouping import group_ids
from pipeline.images import THUMBNAILS
from pipeline.params.split import SplitParams
from pipeline.split import (
    DUPLICATES,
    MANIFEST,
    MOVED,
    REDUCED,
    REPORT,
    SPLITS,
    group,
    main,
    moved_images,
    packed_metadata,
    summary,
)
from pipeline.split import split as split_groups
from pipeline.store import read_json

SHARES = SplitParams(train=0.42, val=0.1, test=0.48, official=False, duplicate_distance=40, duplicate_correlation=0.94)
OFFICIAL = SHARES.model_copy(update={"official": True})
NO_PAIRS = np.empty((0, 2), dtype=np.int64)


def images_of(targets: list[int], **columns: list[str]) -> pd.DataFrame:
    count = len(targets)
    values = {
        "image_id": [f"I{number:04d}" for number in range(count)],
        "row": range(count),
        "target": targets,
        "patient_id": "",
        "lesion_id": "",
        "source": "here",
        "official_split": "",
        "sha256": [f"{number:064x}" for number in range(count)],
        "phash": "",
    }
    return pd.DataFrame({**values, **columns})


def same_looks(count: int) -> np.ndarray:
    """Thumbnails of which each shows the same, so that the hashes decide."""
    one = np.random.default_rng(0).integers(60, 200, (1, THUMBNAIL, THUMBNAIL), dtype=np.uint8)
    return one.repeat(count, axis=0)


def blotches(count: int, rng: np.random.Generator) -> np.ndarray:
    """Thumbnails with structures of some pixels, as pictures of lesions have."""
    noise = gaussian_filter(rng.normal(size=(count, THUMBNAIL, THUMBNAIL)), (0, 3, 3), mode="wrap")
    return (170 + 35 * noise / noise.std()).clip(70, 255).astype(np.uint8)


def split(images: pd.DataFrame, params: SplitParams, seed: int):
    """The three tables and the report of the stage: splits, duplicates, moved, counts."""
    grouped, duplicates = group(images, same_looks(len(images)), params)
    splits = split_groups(grouped, params, seed)
    moved = moved_images(splits)
    return splits, duplicates, summary(splits, duplicates, moved)


def many_images(count: int = 300) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    patients = [f"P{number}" if number < 40 else "" for number in rng.integers(0, 80, count)]
    return images_of([int(value) for value in rng.random(count) < 0.25], patient_id=patients)


def test_patient_lesion_and_file_join_images_in_chains_and_empty_ids_join_none():
    ids = pd.Series(["e", "b", "d", "a", "c", "f"])
    patient = pd.Series(["P", "P", "", "", "", ""])
    lesion = pd.Series(["", "L", "L", "", "", "P"])  # the same word as a patient's means nothing
    file = pd.Series(["1", "2", "3", "3", "5", "6"])
    assert group_ids(ids, [patient, lesion, file], NO_PAIRS).tolist() == ["a", "a", "a", "a", "c", "f"]


ids_of_some = st.one_of(st.just(""), st.integers(1, 60).map(str))  # so many that the groups stay small
drawn_images = st.lists(st.tuples(st.integers(0, 1), ids_of_some, ids_of_some, ids_of_some), min_size=100, max_size=150)


@settings(deadline=None, derandomize=True, max_examples=60, phases=[Phase.generate])  # shrinking takes minutes
@given(drawn_images, st.integers(0, 3))
def test_no_patient_lesion_or_file_is_in_two_splits_and_no_image_is_lost(drawn, seed):
    targets, patients, lesions, files = (list(column) for column in zip(*drawn, strict=True))
    hashes = [name or f"own {number}" for number, name in enumerate(files)]
    images = images_of(targets, patient_id=patients, lesion_id=lesions, sha256=hashes)
    assume(30 < sum(targets) < len(targets) - 30)
    splits, _, _ = split(images, SHARES, seed)
    assert splits["row"].tolist() == list(range(len(images)))
    assert set(splits["split"]) == set(NAMES)
    for key in ("patient_id", "lesion_id", "sha256"):
        known = images[key] != ""
        assert splits[known].groupby(images.loc[known, key])["split"].nunique().max() == 1


@settings(deadline=None, derandomize=True, max_examples=60)
@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=3, max_size=200))
def test_every_split_gets_its_share_of_every_class(drawn):
    groups = np.array(sorted(drawn, key=sum, reverse=True))
    shares = np.array([0.42, 0.1, 0.48])
    chosen = assign(groups, np.ones(2), shares, np.ones((len(groups), 3), dtype=bool))
    reached = np.stack([groups[chosen == index].sum(axis=0) for index in range(3)])
    assert (abs(reached - shares[:, None] * groups.sum(axis=0)) <= 8).all()  # twice the largest of a class in a group


def test_single_images_reach_their_shares_to_the_image():
    _, _, report = split(images_of([1] * 100 + [0] * 300), SHARES, seed=0)
    assert {name: (report[name]["images"], report[name]["malignant"]) for name in NAMES} == {
        "train": (168, 42),
        "val": (40, 10),
        "test": (192, 48),
    }


def test_large_groups_reach_the_small_split_too():
    patients = [f"P{number // 10}" for number in range(600)] + [""] * 600
    splits, _, _ = split(images_of([0, 1] * 600, patient_id=patients), SHARES, seed=0)
    large = splits[splits["row"] < 600]
    assert large.groupby("split")["group_id"].nunique().to_dict() == pytest.approx(
        {"train": 25, "val": 6, "test": 29}, abs=2
    )


def test_the_split_is_stable_under_the_order_of_rows_and_moves_with_the_seed():
    images = many_images()
    first, _, _ = split(images, SHARES, seed=0)
    shuffled, _, _ = split(images.sample(frac=1, random_state=1), SHARES, seed=0)
    other, _, _ = split(images, SHARES, seed=1)
    pd.testing.assert_frame_equal(first, shuffled)
    assert (first["split"] != other["split"]).any()


def test_copies_are_listed_and_those_with_two_labels_stay_together():
    images = many_images()
    images.loc[[0, 1, 2], "sha256"] = "same"
    images.loc[[0, 1, 2], "target"] = [0, 1, 1]
    splits, duplicates, report = split(images, SHARES, seed=0)
    assert report["pairs"] == {"file": 2, "look": 0, "different_labels": 2, "across_sources": 0}
    assert duplicates[["first", "second", "kind", "first_target", "second_target"]].to_numpy().tolist() == [
        ["I0000", "I0001", "file", 0, 1],
        ["I0000", "I0002", "file", 0, 1],
    ]
    assert splits.loc[:2, "group_id"].nunique() == 1
    assert splits.loc[:2, "target"].tolist() == [0, 1, 1]


def test_pairs_that_join_images_of_different_sources_are_counted():
    images = many_images()
    images.loc[[0, 1, 2], "sha256"] = "same"
    images.loc[[3, 4], "sha256"] = "another"
    images.loc[[1, 3, 4], "source"] = "elsewhere"
    _, _, report = split(images, SHARES, seed=0)
    assert report["pairs"]["file"] == 3
    assert report["pairs"]["across_sources"] == 1  # of 0 with 1; 0 and 2, 3 and 4 have one source


def test_images_that_look_alike_stay_together_and_a_file_pair_is_not_told_twice():
    hashes = [np.random.default_rng(number).bytes(32).hex() for number in range(300)]
    images = many_images().assign(phash=hashes)
    images.loc[[5, 200, 250], "phash"] = "3" * 64  # all thumbnails are the same
    images.loc[[5, 250], "sha256"] = "same"
    splits, duplicates, report = split(images, SHARES, seed=0)
    assert report["pairs"]["file"] == report["pairs"]["look"] == 1
    assert duplicates[["first_row", "second_row", "kind"]].to_numpy().tolist() == [[5, 250, "file"], [5, 200, "look"]]
    assert splits.loc[[5, 200, 250], "split"].nunique() == 1


def test_images_a_little_apart_in_hash_are_joined_only_if_they_correlate():
    rng = np.random.default_rng(0)
    code = rng.bytes(32)
    other = bytes([code[0], *(byte ^ 0b10010010 for byte in code[1:21]), *code[21:]])  # 60 bits away
    images = images_of([0, 1, 0]).assign(phash=[code.hex(), other.hex(), rng.bytes(32).hex()])
    thumbnails, another = blotches(3, rng), blotches(1, rng)[0]
    thumbnails[1] = np.roll(thumbnails[0], (1, -1), axis=(0, 1))
    [found] = duplicate_pairs(images, thumbnails, SHARES).to_dict("records")
    assert (found["first_row"], found["second_row"], found["distance"]) == (0, 1, 60)
    assert found["correlation"] > 0.95
    thumbnails[1] = another
    assert duplicate_pairs(images, thumbnails, SHARES).empty
    thumbnails[1] = thumbnails[0] * 0.6 + another * 0.3  # correlated, but below 0.94
    assert duplicate_pairs(images, thumbnails, SHARES).empty
    close = SHARES.model_copy(update={"duplicate_distance": 60})
    assert 0.8 < duplicate_pairs(images, thumbnails, close)["correlation"].item() < 0.94


def test_every_source_reaches_every_split_in_proportion():
    sources = [f"S{number}" for number in np.random.default_rng(0).choice(8, 1000, p=[0.4, 0.2, 0.1, 0.1, *[0.05] * 4])]
    patients = [f"P{number // 3}" if number < 400 else "" for number in range(1000)]
    images = images_of([int(n % 4 == 0) for n in range(1000)], source=sources, patient_id=patients)
    splits, _, report = split(images, SHARES, seed=0)
    shares = {"train": 0.42, "val": 0.1, "test": 0.48}
    for source, reached in report["by_source"].items():
        count = sources.count(source)
        assert sum(reached.values()) == count
        assert all(abs(reached[name] - share * count) <= 3 for name, share in shares.items()), (source, reached)
    assert splits.groupby("split")["target"].mean().to_dict() == pytest.approx(dict.fromkeys(NAMES, 0.25), abs=0.01)


def test_an_official_split_is_kept_but_for_groups_that_it_tears_apart():
    official = ["train"] * 200 + ["val"] * 40 + ["test"] * 60 + [""] * 100
    images = images_of([0, 1] * 200, official_split=official)
    images.loc[[0, 250], "patient_id"] = "torn"  # train and test
    images.loc[[1, 210, 399], "lesion_id"] = "torn"  # train, val and none
    images.loc[[398, 220], "patient_id"] = "one only"
    splits, _, report = split(images, OFFICIAL, seed=0)
    assert moved_images(splits).to_dict("records") == [
        {"image_id": "I0000", "from": "train", "to": "test", "group_id": "I0000"},
        {"image_id": "I0001", "from": "train", "to": "val", "group_id": "I0001"},
    ]
    assert report["moved"] == {"train to test": 1, "train to val": 1}
    assert (splits["split"] == official)[2:300].all()
    assert splits.loc[[0, 1, 398, 399], "split"].tolist() == ["test", "val", "val", "val"]
    assert (splits.loc[300:397, "split"] == "test").all()  # the one that the official split has too little of
    ignored, _, unmoved = split(images, SHARES, seed=0)
    assert unmoved["moved"] == {}
    assert (ignored["split"] != splits["split"]).any()


def test_an_official_split_without_val_gives_some_of_its_train():
    official = ["train"] * 300 + ["test"] * 100
    splits, _, report = split(images_of([0, 1] * 200, official_split=official), OFFICIAL, seed=0)
    assert report["moved"] == {}
    assert (splits.loc[300:, "split"] == "test").all()
    assert set(splits.loc[:299, "split"]) == {"train", "val"}
    assert report["val"]["malignant"] * 2 == report["val"]["images"]


def test_duplicate_pairs_of_nothing_are_an_empty_table_with_all_columns():
    table = duplicate_pairs(images_of([0, 1, 0]), same_looks(3), SHARES)
    assert table.empty
    assert "turn" in table.columns


def test_the_report_counts_every_image_and_group():
    splits, _, report = split(many_images(), SHARES, seed=0)
    assert sum(report[name]["images"] for name in NAMES) == 300
    assert sum(report[name]["malignant"] for name in NAMES) == splits["target"].sum()
    assert sum(report[name]["groups"] for name in NAMES) == report["groups"] == splits["group_id"].nunique()
    assert (splits["group_id"] <= splits["image_id"]).all()


def test_a_class_too_small_for_every_split_is_refused():
    with pytest.raises(InputError, match=r"no malignant image falls in split val: 2 malignant images in 2 groups"):
        split(images_of([1, 1] + [0] * 50), SHARES, seed=0)
    with pytest.raises(InputError, match=r"6 malignant images in 1 groups .* split\.\w+ 0\.\d+; give more"):
        split(images_of([1] * 6 + [0] * 50, patient_id=["P"] * 6 + [""] * 50), SHARES, seed=0)


def test_packed_images_of_another_subset_are_refused():
    images = images_of([0, 1]).astype(str)
    with pytest.raises(InputError, match=r"manifest\.csv has I0001, which data/reduced\.csv does not"):
        packed_metadata(images.iloc[:1], images)


def test_main_writes_the_same_bytes_twice_and_leaves_out_what_was_not_packed(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("params.yaml").write_text(
        "seed: 0\nsplit: {train: 0.42, val: 0.1, test: 0.48, official: false, "
        "duplicate_distance: 40, duplicate_correlation: 0.94}\n"
    )
    images = images_of([0, 1] * 60, image_id=[f"{number:03d}" for number in range(120)])
    MANIFEST.parent.mkdir(parents=True)
    images.drop(columns=["row", "sha256", "phash"]).to_csv(REDUCED, index=False)
    packed = images.iloc[20:].assign(row=range(100))
    packed[["row", "image_id", "sha256", "phash"]].to_csv(MANIFEST, index=False)
    np.save(MANIFEST.parent / THUMBNAILS, same_looks(100))
    main()
    first = [path.read_bytes() for path in (SPLITS, REPORT, DUPLICATES, MOVED)]
    main()
    assert [path.read_bytes() for path in (SPLITS, REPORT, DUPLICATES, MOVED)] == first
    assert SPLITS.read_text().splitlines()[0] == "image_id,row,target,split,group_id"
    splits = pd.read_csv(SPLITS, dtype={"image_id": str})
    assert splits["image_id"].tolist() == packed["image_id"].tolist()
    assert sum(read_json(REPORT)[name]["images"] for name in NAMES) == 100
