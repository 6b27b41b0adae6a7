"""Several sources as one table: an image that two of them have is one row; no two patients share an id by chance."""

import re
from collections.abc import Mapping
from typing import Any

import pandas as pd

from pipeline.isic.counts import LISTED
from pipeline.params.classes import TARGETS
from pipeline.params.source import METADATA_COLUMNS

COLUMNS = [*METADATA_COLUMNS, "dataset"]
# What the archive and its contributors number means the same in every download: ISIC_0024306, IP_7279968, HAM_0000118.
GLOBAL_IDS = {
    "image_id": re.compile(r"ISIC_\d{7}"),
    "patient_id": re.compile(r"[A-Z][A-Z0-9]*_\d{7}"),
    "lesion_id": re.compile(r"[A-Z][A-Z0-9]*_\d{7}"),
}
OF_THE_FILE = ["file", "sha256", "official_split", "origin", "dataset"]  # these go with the file that is read
COMPARED = ["label", "sex", "age_approx"]  # sources word diagnoses and sites differently


def merge(tables: Mapping[str, pd.DataFrame]) -> tuple[pd.DataFrame, dict[str, Any]]:
    """The rows of every source, those of one image as one.

    Of one image the first source has its file read; what that source leaves open a later one fills in, and where two
    disagree the first stands. One source alone keeps its ids; of several, an id that is not the archive's gets the name
    of its source, so that the patient 1 of two hospitals is two patients. Where one image has both ids, they are one:
    the first source's stands for both in every row.

    Args:
        tables: METADATA_COLUMNS, all text, each image once, by the name of the source, the one that settles first.

    Returns: COLUMNS, sorted by image id, where an empty ``source`` is the name; ``images`` that came in several sources
        (rows that were merged into another's), by column the ids that are ``united`` with another, the values that were
        ``filled`` in and those in ``conflicts``, and the ``first`` of these.
    """
    parts = [_named(table, name, alone=len(tables) == 1) for name, table in tables.items()]
    together = pd.concat(parts, ignore_index=True)
    repeated = together["image_id"].duplicated(keep=False)
    united: dict[str, int] = {}
    for column in ("patient_id", "lesion_id"):
        others = _united(together.loc[repeated, ["image_id", column]])
        together[column] = together[column].replace(others)
        united |= {column: len(others)} if others else {}
    merged, counts = _merged(together[repeated])
    table = pd.concat([together[~repeated], merged]).sort_values("image_id", ignore_index=True)
    return table[COLUMNS], {"images": int(repeated.sum()) - len(merged), "united": united, **counts}


def _named(table: pd.DataFrame, name: str, *, alone: bool) -> pd.DataFrame:
    named = table.assign(dataset=name, source=table["source"].where(table["source"] != "", name))
    if not alone:
        for column, everywhere in GLOBAL_IDS.items():
            ids = table[column]
            own = (ids != "") & ~ids.str.fullmatch(everywhere)
            named[column] = ids.mask(own, f"{name}." + ids)
    return named


def _united(rows: pd.DataFrame) -> dict[str, str]:
    """Ids to the one that stands for them, as an image has both.

    Args:
        rows: image_id and the column of the ids, in the order in which sources settle.
    """
    images, column = rows.columns
    ids = rows[rows[column] != ""].drop_duplicates().groupby(images)[column].agg(tuple)
    standing: dict[str, str] = {}

    def stands_for(name: str) -> str:
        while name in standing:
            name = standing[name]
        return name

    for first, *others in ids[ids.str.len() > 1].unique():
        for other in others:
            if stands_for(other) != stands_for(first):
                standing[stands_for(other)] = stands_for(first)
    return {name: stands_for(name) for name in standing}


def _merged(rows: pd.DataFrame) -> tuple[pd.DataFrame, dict[str, Any]]:
    """The rows with the same image id as one, and the counts of ``merge``."""
    known = rows.mask((rows == "") | (rows == "unknown"))
    said = known.groupby("image_id")
    merged = said.first()  # by column the first value that is known
    filled = merged.notna() & known.drop_duplicates("image_id").set_index("image_id").reindex(merged.index).isna()
    conflicts = said[COMPARED].nunique() > 1
    merged[OF_THE_FILE] = rows.groupby("image_id")[OF_THE_FILE].first()
    merged["label"] = merged["label"].fillna("unknown")
    merged["target"] = merged["label"].map({label: str(target) for label, target in TARGETS.items()})
    counts = {
        "filled": _counts(filled.drop(columns=[*OF_THE_FILE, "target"])),
        "conflicts": _counts(conflicts),
        "first": _conflicts(conflicts, rows),
    }
    return merged.fillna("").reset_index(), counts


def _counts(flags: pd.DataFrame) -> dict[str, int]:
    """Of each column how many are true, where any is."""
    return {str(column): int(count) for column, count in flags.sum().items() if count}


def _conflicts(conflicts: pd.DataFrame, rows: pd.DataFrame) -> list[str]:
    """Images of which the sources say different things, the first few: what each says."""
    said = rows.set_index("image_id")
    listed = [(image_id, column) for column in conflicts for image_id in conflicts.index[conflicts[column]][:LISTED]]
    return [
        f"{image_id}: {column} "
        + ", ".join(
            f"{value!r} in {dataset}" for value, dataset in said.loc[[image_id], [column, "dataset"]].to_numpy()
        )
        for image_id, column in listed[:LISTED]
    ]
