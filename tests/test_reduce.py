from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import InputError
from pipeline.params.reduce import ReduceParams
from pipeline.params.source import METADATA_COLUMNS
from pipeline.reduce import METADATA, REDUCED, REPORT, diversity_rank, largest_remainder, main, reduce
from pipeline.store import read_json

KEEP_RATIO = ReduceParams(size=20, balance="keep_ratio")


def metadata_of(count: int, malignant: int, **columns: object) -> pd.DataFrame:
    """So many usable rows, the first of them malignant, with some columns given."""
    labels = ["malignant"] * malignant + ["benign"] * (count - malignant)
    table = pd.DataFrame("", index=range(count), columns=list(METADATA_COLUMNS))
    values = {
        "image_id": [f"I{number:04d}" for number in range(count)],
        "label": labels,
        "target": ["1" if label == "malignant" else "0" for label in labels],
        "image_type": "dermoscopic",
        "source": "here",
    }
    return table.assign(**{**values, **columns})


def test_rows_are_dropped_for_one_reason_each_and_all_are_counted():
    metadata = metadata_of(12, 4)
    metadata.loc[4, "image_type"] = "synthetic"
    metadata.loc[5, "image_type"] = "clinical: close-up"
    metadata.loc[6, ["image_type", "label"]] = ["TBP tile: close-up", "unknown"]
    metadata.loc[7, "label"] = "indeterminate"
    metadata.loc[8, "label"] = "unknown"
    metadata.loc[9, "image_type"] = ""
    metadata.loc[[7, 8], "target"] = ""
    reduced, report = reduce(metadata, ReduceParams(size=5, balance="keep_ratio"), seed=0)
    assert report["dropped"] == {"synthetic": 1, "not_dermoscopic": 2, "indeterminate": 1, "unlabelled": 1}
    assert report["rows"] == sum(report["dropped"].values()) + report["not_chosen"] + report["kept"]
    assert len(reduced) == report["kept"] == 5


def test_everything_usable_is_kept_when_there_is_room():
    metadata = metadata_of(12, 4)
    reduced, _ = reduce(metadata, KEEP_RATIO, seed=0)
    pd.testing.assert_frame_equal(reduced, metadata)


def test_keep_ratio_keeps_the_share_of_the_class_and_of_every_source():
    sources = ["a"] * 30 + ["b"] * 10 + ["a"] * 60 + ["b"] * 20
    reduced, report = reduce(metadata_of(120, 40, source=sources), KEEP_RATIO, seed=0)
    assert report["malignant"] == 7  # 20 / 3
    assert report["by_source"] == {"a": 15, "b": 5}
    assert reduced["image_id"].is_monotonic_increasing


@pytest.mark.parametrize(("malignant", "kept"), [(30, {"0": 10, "1": 10}), (6, {"0": 6, "1": 6})])
def test_balanced_keeps_as_many_of_each_class(malignant, kept):
    reduced, _ = reduce(metadata_of(100, malignant), ReduceParams(size=20, balance="balanced"), seed=0)
    assert reduced["target"].value_counts().to_dict() == kept


@given(st.lists(st.integers(1, 50), min_size=1, max_size=6), st.data())
def test_shares_add_up_and_are_within_one_of_proportion(available, data):
    total = data.draw(st.integers(0, sum(available)))
    counts = largest_remainder(pd.Series(available), total)
    exact = np.array(available) * total / sum(available)
    assert counts.sum() == total
    assert (counts <= available).all()
    assert (abs(counts - exact) < 1 + 1e-9).all()


def test_ties_go_to_the_first():
    assert largest_remainder(pd.Series([1] * 40), 3).tolist() == [1] * 3 + [0] * 37


def test_the_choice_is_stable_under_the_order_of_rows_and_moves_with_the_seed():
    metadata = metadata_of(200, 50)
    first, _ = reduce(metadata, KEEP_RATIO, seed=0)
    shuffled, _ = reduce(metadata.sample(frac=1, random_state=3), KEEP_RATIO, seed=0)
    other, _ = reduce(metadata, KEEP_RATIO, seed=1)
    pd.testing.assert_frame_equal(first, shuffled)
    assert set(first["image_id"]) != set(other["image_id"])


def test_every_lesion_is_taken_once_before_any_is_taken_twice():
    lesions = [f"L{number // 4}" for number in range(80)]
    reduced, report = reduce(metadata_of(80, 40, lesion_id=lesions), KEEP_RATIO, seed=0)
    assert report["lesions"] == 20
    assert reduced["lesion_id"].is_unique


def test_every_patient_is_taken_once_before_any_is_taken_twice():
    patients = [f"P{number // 4}" for number in range(80)]
    reduced, report = reduce(metadata_of(80, 40, patient_id=patients), KEEP_RATIO, seed=0)
    assert report["patients"] == 20
    assert reduced["patient_id"].is_unique


def test_a_lesions_second_image_comes_after_a_patients_third_lesion():
    lesions = ["L1", "L1", "L2", "L3", "L4", "L5", "L6", "L7"]
    metadata = metadata_of(8, 5, patient_id=["P1", "P1", "P2", "P2", "P2", "", "", ""], lesion_id=lesions)
    for seed in range(5):
        rank = diversity_rank(metadata, seed)
        assert sorted(rank[:5]) == list(range(5))
        assert max(rank[:2]) == 4


def test_empty_ids_are_no_common_patient():
    metadata = metadata_of(8, 8, patient_id=["P", "P", "", "", "", "", "", ""])
    rank = diversity_rank(metadata, seed=0)
    assert sorted(rank) == list(range(8))
    assert max(rank[:2]) == 7  # the one patient's second image comes last of all


def test_each_class_and_source_has_an_order_of_its_own():
    metadata = metadata_of(8, 4, source=["a", "a", "b", "b"] * 2, patient_id="P", lesion_id="L")
    rank = diversity_rank(metadata, seed=0)
    assert [sorted(rank[first : first + 2]) for first in range(0, 8, 2)] == [[0, 1]] * 4


def test_a_class_that_is_absent_or_squeezed_out_is_refused():
    with pytest.raises(InputError, match=r"none of the 5 rows in data/metadata\.csv is usable and malignant"):
        reduce(metadata_of(5, 0), KEEP_RATIO, seed=0)
    with pytest.raises(InputError, match=r"reduce\.size 4 leaves no malignant image of 100 usable ones"):
        reduce(metadata_of(100, 5), ReduceParams(size=4, balance="keep_ratio"), seed=0)


def test_main_writes_the_same_bytes_twice(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("params.yaml").write_text("seed: 0\nreduce: {size: 20, balance: keep_ratio}\n")
    METADATA.parent.mkdir()
    metadata_of(60, 20, image_id=[f"{number:03d}" for number in range(60)], diagnosis="NA").to_csv(
        METADATA, index=False
    )
    main()
    first = REDUCED.read_bytes(), REPORT.read_bytes()
    main()
    assert (REDUCED.read_bytes(), REPORT.read_bytes()) == first
    assert read_json(REPORT)["kept"] == 20
    kept = pd.read_csv(REDUCED, dtype=str, keep_default_na=False)
    assert kept["image_id"].str.len().eq(3).all()  # 007 stays 007
    assert kept["diagnosis"].eq("NA").all()
