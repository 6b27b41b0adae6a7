"""The data section's content: every record accounted for, figures in order, duplicates with the doubtful ones first."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.reporting import dataset, text

SOME = st.integers(0, 1000)
COLUMNS = ["first", "second", "first_row", "second_row", "kind", "distance", "correlation", "turn"]
COLUMNS += ["first_target", "second_target"]


def counts_of(unreadable=0, repeated=0, shared=0, synthetic=0, not_chosen=0, broken=0, train=5, val=3, test=2):
    """The four stages' counts, consistent with each other."""
    packed = train + val + test
    kept = packed + broken
    rows = kept + not_chosen + synthetic
    return {
        "ingest": {
            "rows": rows,
            "repeated": {"images": shared},
            "sources": {
                "one": {
                    "records": rows + unreadable,
                    "unreadable": {"count": unreadable},
                    "duplicate_ids": {"dropped": 0},
                },
                "two": {
                    "records": repeated + shared,
                    "unreadable": {"count": 0},
                    "duplicate_ids": {"dropped": repeated},
                },
            },
        },
        "reduce": {"rows": rows, "dropped": {"synthetic": synthetic}, "not_chosen": not_chosen, "kept": kept},
        "prepare": {"images": kept, "quarantined": {"broken": broken}, "packed": packed},
        "split": {"train": {"images": train}, "val": {"images": val}, "test": {"images": test}},
    }


def flow(counts, moved=None):
    return dataset.flow_rows(counts, "9 images, balanced", moved or {})


def check_that_it_adds_up(rows):
    left = rows[0].images
    for row in rows:
        if row.kind == "loss":
            left -= row.images
        elif row.kind == "total":
            assert row.images == left
    assert sum(row.images for row in rows if row.kind == "part") == left


@given(st.tuples(*[SOME] * 9))
def test_rows_in_are_rows_out_and_every_loss(amounts):
    rows = flow(counts_of(*amounts))
    check_that_it_adds_up(rows)
    assert [row.images for row in rows if row.kind == "loss"] == [amount for amount in amounts[:6] if amount]
    assert all(row.start >= 0 and row.start + row.length <= 100.01 for row in rows)


@given(*[SOME] * 4)
def test_images_that_no_stage_accounts_for_are_said(rows, kept, packed, train):
    counts = counts_of(not_chosen=7)
    counts["ingest"]["rows"], counts["reduce"]["kept"] = rows, kept
    counts["prepare"]["packed"], counts["split"]["train"]["images"] = packed, train
    check_that_it_adds_up(flow(counts))
    assert [row.name for row in flow(counts_of())].count(dataset.UNEXPLAINED) == 0


def test_every_loss_has_its_reason_and_every_split_what_was_moved_there():
    rows = {row.name: row.printed for row in flow(counts_of(1, 2, 6, 3, 4000, 5), {"test": 2})}
    assert rows == {
        "Records": "4,027",
        "record that cannot be read": "\N{MINUS SIGN}1",
        "image id that came before": "\N{MINUS SIGN}2",
        "image that an earlier source has": "\N{MINUS SIGN}6",
        "Images with metadata": "4,018",
        "marked as synthetic": "\N{MINUS SIGN}3",
        "left out by reduction to 9 images, balanced": "\N{MINUS SIGN}4,000",
        "Chosen": "15",
        "file quarantined: broken": "\N{MINUS SIGN}5",
        "Packed": "10",
        "In the splits": "10",
        "train": "5",
        "val": "3",
        "test, 2 of them moved here with their group": "2",
    }


def test_bars_are_in_order_and_what_is_not_named_comes_last():
    one = {"benign": 1, "malignant": 0}
    by_label = {key: {"x": one} for key in dataset.FIGURES} | {
        "age_group": {"(none)": one, "100-109": one, "20-29": one, "0-9": one},
        "sex": {"(none)": {"benign": 9}, "(other)": {"benign": 8}, "male": {"benign": 2}, "female": {"benign": 3}},
    }
    figures = dataset.label_figures(by_label)
    assert list(figures) == list(dataset.FIGURES.values())
    assert [bar.name for bar in figures["Age in years"]] == ["0-9", "20-29", "100-109", "not stated"]
    assert [bar.name for bar in figures["Sex"]] == ["female", "male", "not stated", "other values"]


def test_a_bar_is_as_long_as_its_images_and_stacked_by_label():
    by_label = {"benign": 30, "malignant": 10, "unknown": 10, "indeterminate": 0}
    bar = dataset.label_bar("nevus", by_label, longest=200)
    assert (bar.images, bar.malignant) == (50, 0.25)
    assert bar.labels == {"benign": (30, 15), "malignant": (10, 5), "unknown": (10, 5)}
    assert dataset.label_bar("nevus", {"unknown": 3}, longest=3).malignant is None


@pytest.mark.parametrize(
    ("share", "printed"), [(None, text.DASH), (0, "0 %"), (0.004, "0.4 %"), (0.25, "25 %"), (1, "100 %")]
)
def test_a_small_share_is_not_printed_as_none(share, printed):
    assert text.percent(share) == printed


def test_pairs_of_different_labels_come_first_then_those_least_alike():
    rows = [
        ("a", "b", 0, 1, "file", 0, 1.0, "identity", 0, 0),
        ("c", "d", 0, 1, "look", 3, 0.98, "identity", 0, 0),
        ("e", "f", 0, 1, "look", 9, 0.876, "mirror", 1, 1),
        ("g", "h", 0, 1, "file", 0, 1.0, "identity", 1, 0),
    ]
    duplicates = pd.DataFrame(rows, columns=COLUMNS)
    pairs = dataset.duplicate_pairs(duplicates, np.zeros((2, 8, 8, 3), dtype=np.uint8))
    assert [pair.names[0] for pair in pairs] == ["g", "e", "c", "a"]
    assert [pair.classes for pair in pairs] == [("malignant", "benign"), None, None, None]
    assert pairs[0].alike == "the same file"
    assert pairs[1].alike == "alike, distance 9, correlation 0.88; second shown mirrored left to right"
    assert dataset.pair_counts(duplicates) == {"file": 2, "look": 2, "different_labels": 1}


def test_only_the_first_pairs_are_drawn():
    rows = [(f"a{n:03d}", "b", 0, 1, "file", 0, 1.0, "identity", 0, 0) for n in range(dataset.PAIRS + 9)]
    images = np.zeros((2, 8, 8, 3), dtype=np.uint8)
    assert len(dataset.duplicate_pairs(pd.DataFrame(rows, columns=COLUMNS), images)) == dataset.PAIRS
    assert dataset.duplicate_pairs(pd.DataFrame(columns=COLUMNS), images) == []
