"""A source's metadata, in whatever format, as one table with one row per image."""

from collections import Counter
from typing import Any

import pandas as pd

from pipeline.errors import InputError
from pipeline.isic.counts import LISTED, by_label, counted, most_common, occurrences, repeated_ids
from pipeline.isic.reading import Reading
from pipeline.isic.row import Row
from pipeline.isic.source import read_source
from pipeline.isic.vocabulary import SPLITS, label_of
from pipeline.params.classes import TARGETS
from pipeline.params.source import METADATA_COLUMNS, SourceParams

MAY_BE_UNKNOWN = ("diagnosis", "sex", "age_approx", "anatom_site")  # where "unknown" is how some formats say nothing


def read_metadata(source: SourceParams) -> tuple[pd.DataFrame, dict[str, Any]]:
    """The metadata table and what was found on the way.

    Returns: the columns METADATA_COLUMNS, all text, sorted by image id; the content of reports/ingest.json, in which
        records = rows + unreadable + dropped duplicates.

    Raises:
        InputError: if the source cannot be read or lacks one of the two classes.
    """
    reading = read_source(source)
    table = as_table(reading.rows)
    unique = table.drop_duplicates("image_id")
    labelled, unknown_labels = with_labels(unique, source)
    check_classes(labelled, unknown_labels, source)
    labelled["source"] = labelled["source"].where(labelled["source"] != "", source.name)
    labelled["official_split"] = labelled["official_split"].str.lower().map(SPLITS).fillna("")
    result = labelled[list(METADATA_COLUMNS)].sort_values("image_id", ignore_index=True)
    return result, {
        **summary(result, reading),
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


def with_labels(table: pd.DataFrame, source: SourceParams) -> tuple[pd.DataFrame, Counter[str]]:
    """The table in our labels, with targets, and the values that no vocabulary has."""
    counts = occurrences(table["label"])
    labels = {value: label_of(value, source.labels) for value in counts}
    translated = table["label"].map({value: label or "unknown" for value, label in labels.items()})
    target = translated.map({label: str(target) for label, target in TARGETS.items()}).fillna("")
    unknown = Counter({value: count for value, count in counts.items() if labels[value] is None})
    return table.assign(label=translated, target=target), unknown


def check_classes(table: pd.DataFrame, unknown_labels: Counter[str], source: SourceParams) -> None:
    """Refuses a table that cannot train a classifier. Raises InputError."""
    if not unknown_labels and (table["label"] == "unknown").all():
        raise InputError(
            f"{source.metadata} has no label in any of its {len(table)} rows, as test sets have none; "
            "give records with both classes"
        )
    for label in TARGETS:
        if not (table["label"] == label).any():
            found = ", ".join(f"{value} {count}" for value, count in counted(table["label"]).items())
            values = ", ".join(repr(value) for value in most_common(unknown_labels))
            raise InputError(
                f"{source.metadata} has no {label} row among {len(table)} ({found}"
                f"{'; unknown label values: ' + values if values else ''}); "
                "map its label values in source.labels or give more records"
            )


def split_counts(splits: pd.Series) -> dict[str, int]:
    """Rows by official split; a value that is none keeps its own words, though its rows are in none."""
    counts: Counter[str] = Counter()
    for split, count in occurrences(splits).items():
        counts[SPLITS.get(split.lower(), split) or "(none)"] += count
    return most_common(counts)


def summary(table: pd.DataFrame, reading: Reading) -> dict[str, Any]:
    """Counts for the report."""
    columns = ("label", "diagnosis", "sex", "anatom_site", "image_type", "source", "licence")
    return {
        "format": reading.format,
        "records": reading.records,
        "rows": len(table),
        "ignored_files": reading.ignored_files,
        "joined": reading.joined,
        "leak_columns": reading.leaks,
        "unreadable": {"count": len(reading.unreadable), "first": reading.unreadable[:LISTED]},
        **{column: counted(table[column]) for column in columns},
        "by_label": by_label(table),
    }
