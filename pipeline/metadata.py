"""A source's metadata, in whatever format, as one table with one row per image."""

from collections import Counter
from collections.abc import Collection
from typing import Any

import pandas as pd

from pipeline.errors import InputError
from pipeline.isic.counts import LISTED, by_label, counted, most_common, occurrences, repeated_ids
from pipeline.isic.row import Row
from pipeline.isic.source import read_source
from pipeline.isic.vocabulary import SPLITS, label_of
from pipeline.params.classes import TARGETS
from pipeline.params.source import METADATA_COLUMNS, ImageSet

MAY_BE_UNKNOWN = ("diagnosis", "sex", "age_approx", "anatom_site")  # where "unknown" is how some formats say nothing


def read_metadata(source: ImageSet) -> tuple[pd.DataFrame, dict[str, Any]]:
    """The metadata table and what was found on the way.

    Returns: the columns METADATA_COLUMNS, all text, sorted by image id; counts for the report, in which
        records = rows + unreadable + dropped duplicates.

    Raises:
        InputError: if the source cannot be read; its keys are named without what they stand under in params.yaml.
    """
    reading = read_source(source)
    table = as_table(reading.rows)
    unique = table.drop_duplicates("image_id")
    labelled, unknown_labels = with_labels(unique, source)
    labelled["official_split"] = labelled["official_split"].str.lower().map(SPLITS).fillna("")
    result = labelled[list(METADATA_COLUMNS)].sort_values("image_id", ignore_index=True)
    return result, {
        "format": "+".join(sorted(reading.formats)),
        "records": reading.records,
        "rows": len(result),
        "ignored_files": reading.ignored_files,
        "joined": reading.joined,
        "leak_columns": reading.leaks,
        "unreadable": {"count": len(reading.unreadable), "first": reading.unreadable[:LISTED]},
        "duplicate_ids": repeated_ids(table),
        "official_split": split_counts(unique["official_split"]),
        "unknown_labels": most_common(unknown_labels),
    }


def as_table(rows: list[Row]) -> pd.DataFrame:
    """The rows as they are, but for a value that only says that nothing is known."""
    table = pd.DataFrame.from_records(rows, columns=Row._fields).astype(str)
    for column in MAY_BE_UNKNOWN:
        table[column] = table[column].where(table[column].str.lower() != "unknown", "")
    return table


def with_labels(table: pd.DataFrame, source: ImageSet) -> tuple[pd.DataFrame, Counter[str]]:
    """The table in our labels, with targets, and the values that no vocabulary has."""
    counts = occurrences(table["label"])
    labels = {value: label_of(value, source.labels) for value in counts}
    translated = table["label"].map({value: label or "unknown" for value, label in labels.items()})
    target = translated.map({label: str(target) for label, target in TARGETS.items()}).fillna("")
    unknown = Counter({value: count for value, count in counts.items() if labels[value] is None})
    return table.assign(label=translated, target=target), unknown


def check_classes(table: pd.DataFrame, unknown_labels: Collection[str]) -> None:
    """Refuses a table that cannot train a classifier. Raises InputError.

    Args:
        table: at least the columns label and target, all text.
        unknown_labels: the values that no vocabulary has.
    """
    if not unknown_labels and (table["label"] == "unknown").all():
        raise InputError(
            f"the metadata have no label in any of their {len(table)} rows, as test sets have none; "
            "give records with both classes"
        )
    for label in TARGETS:
        if not (table["label"] == label).any():
            found = ", ".join(f"{value} {count}" for value, count in counted(table["label"]).items())
            values = ", ".join(repr(value) for value in unknown_labels)
            raise InputError(
                f"the metadata have no {label} row among {len(table)} ({found}"
                f"{'; unknown label values: ' + values if values else ''}); "
                "map them in the source's labels or give more records"
            )


def split_counts(splits: pd.Series) -> dict[str, int]:
    """Rows by official split; a value that is none keeps its own words, though its rows are in none."""
    counts: Counter[str] = Counter()
    for split, count in occurrences(splits).items():
        counts[SPLITS.get(split.lower(), split) or "(none)"] += count
    return most_common(counts)


def summary(table: pd.DataFrame) -> dict[str, Any]:
    """What the rows say, in counts, for the report."""
    columns = ("label", "diagnosis", "sex", "anatom_site", "image_type", "source", "licence")
    return {"rows": len(table), **{column: counted(table[column]) for column in columns}, "by_label": by_label(table)}
