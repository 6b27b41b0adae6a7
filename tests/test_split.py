from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import Phase, assume, given, settings
from hypothesis import strategies as st

from pipeline.errors import InputError
from pipeline.grouping import group_ids
from pipeline.params.split import SplitParams
from pipeline.split import MANIFEST, NAMES, REDUCED, REPORT, SPLITS, assign, main, packed_metadata, split
from pipeline.store import read_json

SHARES = SplitParams(train=0.42, val=0.1, test=0.48)


def images_of(targets: list[int], **columns: list[str]) -> pd.DataFrame:
    count = len(targets)
    values = {
        "image_id": [f"I{number:04d}" for number in range(count)],
        "row": range(count),
        "target": targets,
        "patient_id": "",
        "lesion_id": "",
        "sha256": [f"{number:064x}" for number in range(count)],
    }
    return pd.DataFrame({**values, **columns})


def many_images(count: int = 300) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    patients = [f"P{number}" if number < 40 else "" for number in rng.integers(0, 80, count)]
    return images_of([int(value) for value in rng.random(count) < 0.25], patient_id=patients)


def test_patient_lesion_and_file_join_images_in_chains_and_empty_ids_join_none():
    ids = pd.Series(["e", "b", "d", "a", "c", "f"])
    patient = pd.Series(["P", "P", "", "", "", ""])
    lesion = pd.Series(["", "L", "L", "", "", "P"])  # the same word as a patient's means nothing
    file = pd.Series(["1", "2", "3", "3", "5", "6"])
    assert group_ids(ids, [patient, lesion, file]).tolist() == ["a", "a", "a", "a", "c", "f"]


ids_of_some = st.one_of(st.just(""), st.integers(1, 60).map(str))  # so many that the groups stay small
drawn_images = st.lists(st.tuples(st.integers(0, 1), ids_of_some, ids_of_some, ids_of_some), min_size=100, max_size=150)


@settings(deadline=None, derandomize=True, max_examples=60, phases=[Phase.generate])  # shrinking takes minutes
@given(drawn_images, st.integers(0, 3))
def test_no_patient_lesion_or_file_is_in_two_splits_and_no_image_is_lost(drawn, seed):
    targets, patients, lesions, files = (list(column) for column in zip(*drawn, strict=True))
    hashes = [name or f"own {number}" for number, name in enumerate(files)]
    images = images_of(targets, patient_id=patients, lesion_id=lesions, sha256=hashes)
    assume(30 < sum(targets) < len(targets) - 30)
    splits, _ = split(images, SHARES, seed)
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
    chosen = assign(groups, shares)
    reached = np.stack([groups[chosen == index].sum(axis=0) for index in range(3)])
    assert (abs(reached - shares[:, None] * groups.sum(axis=0)) <= 8).all()  # twice the largest of a class in a group


def test_single_images_reach_their_shares_to_the_image():
    _, report = split(images_of([1] * 100 + [0] * 300), SHARES, seed=0)
    assert {name: (report[name]["images"], report[name]["malignant"]) for name in NAMES} == {
        "train": (168, 42),
        "val": (40, 10),
        "test": (192, 48),
    }


def test_large_groups_reach_the_small_split_too():
    patients = [f"P{number // 10}" for number in range(600)] + [""] * 600
    splits, _ = split(images_of([0, 1] * 600, patient_id=patients), SHARES, seed=0)
    large = splits[splits["row"] < 600]
    assert large.groupby("split")["group_id"].nunique().to_dict() == pytest.approx(
        {"train": 25, "val": 6, "test": 29}, abs=2
    )


def test_the_split_is_stable_under_the_order_of_rows_and_moves_with_the_seed():
    images = many_images()
    first, _ = split(images, SHARES, seed=0)
    shuffled, _ = split(images.sample(frac=1, random_state=1), SHARES, seed=0)
    other, _ = split(images, SHARES, seed=1)
    pd.testing.assert_frame_equal(first, shuffled)
    assert (first["split"] != other["split"]).any()


def test_copies_are_counted_and_those_with_two_labels_stay_together():
    images = many_images()
    images.loc[[0, 1, 2], "sha256"] = "same"
    images.loc[[0, 1, 2], "target"] = [0, 1, 1]
    splits, report = split(images, SHARES, seed=0)
    assert report["duplicate_pairs"] == 3
    assert report["duplicate_pairs_with_different_labels"] == 2
    assert splits.loc[:2, "group_id"].nunique() == 1
    assert splits.loc[:2, "target"].tolist() == [0, 1, 1]


def test_the_report_counts_every_image_and_group():
    splits, report = split(many_images(), SHARES, seed=0)
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
    Path("params.yaml").write_text("seed: 0\nsplit: {train: 0.42, val: 0.1, test: 0.48}\n")
    images = images_of([0, 1] * 60, image_id=[f"{number:03d}" for number in range(120)])
    MANIFEST.parent.mkdir(parents=True)
    images.drop(columns=["row", "sha256"]).to_csv(REDUCED, index=False)
    packed = images.iloc[20:].assign(row=range(100))
    packed[["row", "image_id", "sha256"]].to_csv(MANIFEST, index=False)
    main()
    first = SPLITS.read_bytes(), REPORT.read_bytes()
    main()
    assert (SPLITS.read_bytes(), REPORT.read_bytes()) == first
    assert SPLITS.read_text().splitlines()[0] == "image_id,row,target,split,group_id"
    splits = pd.read_csv(SPLITS, dtype={"image_id": str})
    assert splits["image_id"].tolist() == packed["image_id"].tolist()
    assert sum(read_json(REPORT)[name]["images"] for name in NAMES) == 100
