"""What reduce promises for any metadata: nothing lost uncounted, shares kept, and a choice that stays."""

import pandas as pd
from hypothesis import assume
from hypothesis import strategies as st

from pipeline.errors import InputError
from pipeline.params.reduce import ReduceParams
from pipeline.params.source import METADATA_COLUMNS
from pipeline.reduce import CELL, reduce
from pipeline.usable import USABLE_IMAGE_TYPES
from tests.properties import holds_for

EXAMPLES = 85  # of each law
BALANCES = ("keep_ratio", "balanced")
TARGET_OF = {"benign": "0", "malignant": "1", "indeterminate": "", "unknown": ""}
RECORD = st.tuples(
    st.sampled_from(["benign", "benign", "benign", "malignant", "malignant", "indeterminate", "unknown"]),
    st.sampled_from(["", "dermoscopic", "dermoscopic", "dermoscopic", "synthetic", "TBP tile: close-up"]),
    st.sampled_from(["a", "a", "a", "b", "b", "c", "d"]),
    st.sampled_from(["", "P1", "P2", "P3"]),
    st.sampled_from(["", "", "L1", "L2", "L3", "L4", "L5"]),
)
RECORDS = st.integers(2, 40).flatmap(lambda count: st.lists(RECORD, min_size=count, max_size=count))


def table_of(records: list[tuple[str, ...]], prefix: str = "") -> pd.DataFrame:
    """Metadata with one row per label, image type, source, patient and lesion."""
    table = pd.DataFrame("", index=range(len(records)), columns=list(METADATA_COLUMNS))
    table[["label", "image_type", "source", "patient_id", "lesion_id"]] = records
    table["image_id"] = [f"{prefix}I{number:03d}" for number in range(len(records))]
    return table.assign(target=table["label"].map(TARGET_OF))


def usable_of(table: pd.DataFrame) -> pd.DataFrame:
    return table[table["image_type"].isin(USABLE_IMAGE_TYPES) & (table["target"] != "")]


def chosen(table: pd.DataFrame, size: int, balance: str = "keep_ratio", seed: int = 0) -> pd.DataFrame:
    """What reduce keeps; a table that it refuses is no example."""
    try:
        return reduce(table, ReduceParams(size=size, balance=balance), seed)[0]
    except InputError:
        assume(False)
        raise


def in_cells(table: pd.DataFrame, column: str = "image_id") -> dict[tuple[str, str], list[str]]:
    """The image ids, or another column, by class and source."""
    return {cell: list(rows) for cell, rows in table.groupby(CELL)[column]}


def proportional(part: pd.Series, whole: pd.Series) -> bool:
    """Whether every count of ``part`` is less than one from its share of ``whole``."""
    share = whole * part.sum() / whole.sum()
    return bool((part.reindex(whole.index, fill_value=0) - share).abs().lt(1 - 1e-9).all())


@holds_for(EXAMPLES, records=RECORDS, size=st.integers(1, 70), balance=st.sampled_from(BALANCES))
def test_every_row_is_kept_or_counted_and_none_kept_is_unusable(records, size, balance):
    table = table_of(records)
    usable = usable_of(table)
    try:
        kept, report = reduce(table, ReduceParams(size=size, balance=balance), 0)
    except InputError:
        scarce = usable["target"].value_counts().reindex(["0", "1"], fill_value=0).min()
        assert scarce == 0 or size < 2 or (balance == "keep_ratio" and size * scarce < len(usable))
        return
    assert report["rows"] == len(table) == sum(report["dropped"].values()) + report["not_chosen"] + report["kept"]
    assert (report["usable"], report["kept"]) == (len(usable), len(kept))
    assert sum(report["by_source"].values()) == len(kept)
    assert kept["image_id"].is_unique
    assert set(kept["image_id"]) <= set(usable["image_id"])
    assert kept.merge(table, how="left", indicator=True)["_merge"].eq("both").all()  # as they came


@holds_for(EXAMPLES, records=RECORDS, size=st.integers(2, 70), balance=st.sampled_from(BALANCES))
def test_classes_and_their_sources_keep_their_shares(records, size, balance):
    usable = usable_of(table_of(records))
    kept = chosen(table_of(records), size, balance)
    available, classes = usable["target"].value_counts(), kept["target"].value_counts()
    if balance == "balanced":
        assert set(classes) == {min(size // 2, available.min())}
    else:
        assert len(kept) == min(size, len(usable))
        assert proportional(classes, available)
    for target, rows in usable.groupby("target"):
        assert proportional(kept.loc[kept["target"] == target, "source"].value_counts(), rows["source"].value_counts())


@holds_for(EXAMPLES, records=RECORDS, size=st.integers(2, 70), balance=st.sampled_from(BALANCES), data=st.data())
def test_the_order_of_the_rows_does_not_matter(records, size, balance, data):
    table = table_of(records)
    shuffled = table.iloc[data.draw(st.permutations(range(len(table))))]
    pd.testing.assert_frame_equal(chosen(table, size, balance), chosen(shuffled, size, balance))


@holds_for(
    EXAMPLES, records=RECORDS, size=st.integers(2, 60), more=st.integers(1, 10), balance=st.sampled_from(BALANCES)
)
def test_a_larger_choice_holds_the_smaller_one_up_to_the_rounding_of_a_quota(records, size, more, balance):
    table = table_of(records)
    small, large = in_cells(chosen(table, size, balance)), in_cells(chosen(table, size + more, balance))
    for cell, ids in small.items():
        kept = set(large.get(cell, []))
        assert kept.issuperset(ids) or (kept.issubset(ids) and len(kept) == len(ids) - 1)


@holds_for(
    EXAMPLES,
    records=RECORDS,
    others=RECORDS,
    size=st.integers(2, 70),
    balance=st.sampled_from(BALANCES),
    seed=st.integers(0, 9),
)
def test_rows_added_to_one_source_only_extend_or_cut_what_is_chosen_of_another(records, others, size, balance, seed):
    added = table_of(others, "0").assign(source="new")  # sorts before all others
    table = table_of(records)
    before = in_cells(chosen(table, size, balance, seed))
    after = in_cells(chosen(pd.concat([added, table]), size, balance, seed))
    for cell, ids in before.items():
        kept = set(after.get(cell, []))
        assert kept.issuperset(ids) or kept.issubset(ids)


@holds_for(EXAMPLES, records=RECORDS, size=st.integers(2, 70), balance=st.sampled_from(BALANCES))
def test_no_lesion_is_taken_twice_while_another_of_its_class_and_source_is_left(records, size, balance):
    table = table_of(records).query("lesion_id != ''")
    available = in_cells(usable_of(table), "lesion_id")
    for cell, taken in in_cells(chosen(table, size, balance), "lesion_id").items():
        assert len(taken) == len(set(taken)) or set(taken) == set(available[cell])
