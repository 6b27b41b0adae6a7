"""Stage ingest: the source's metadata, in whatever format, in; one table with one row per image out."""

from collections import Counter
from pathlib import Path
from typing import Any

import pandas as pd
from pydantic import Field

from pipeline.errors import InputError
from pipeline.isic.reading import Reading, read_source
from pipeline.isic.row import Row
from pipeline.isic.vocabulary import label_of
from pipeline.params.classes import TARGETS
from pipeline.params.reader import StageParams, read_params
from pipeline.params.source import METADATA_COLUMNS, SourceParams
from pipeline.stage import run_stage
from pipeline.store import write_csv, write_json

METADATA = Path("data/metadata.csv")
REPORT = Path("reports/ingest.json")

LISTED = 20  # the most common values, or the first names, that the report keeps


class Params(StageParams):
    source: SourceParams = Field(alias="source")


def main() -> None:
    source = read_params(Params).source
    table, report = ingest(source)
    write_csv(METADATA, table)
    write_json(REPORT, report)
    print(f"{report['rows']} rows from {report['records']} records ({report['format']}): {report['label']}")


def ingest(source: SourceParams) -> tuple[pd.DataFrame, dict[str, Any]]:
    """The metadata table and what was found on the way.

    Returns: the columns METADATA_COLUMNS, all text, sorted by image id; the content of reports/ingest.json.

    Raises:
        InputError: if the source cannot be read or lacks one of the two classes.
    """
    reading = read_source(source)
    table = pd.DataFrame.from_records(reading.rows, columns=Row._fields).astype(str)
    unique = without_repeated_ids(table)
    labelled, unknown_labels = with_labels(unique, source)
    check_classes(labelled, unknown_labels, source)
    labelled["source"] = labelled["source"].where(labelled["source"] != "", source.name)
    result = labelled[list(METADATA_COLUMNS)].sort_values("image_id", ignore_index=True)
    return result, {
        **summary(result, reading),
        "duplicate_ids": repeated_ids(table),
        "unknown_labels": most_common(unknown_labels),
    }


def without_repeated_ids(table: pd.DataFrame) -> pd.DataFrame:
    """The first row of every image id."""
    return table[~table["image_id"].duplicated()].copy()


def repeated_ids(table: pd.DataFrame) -> dict[str, int]:
    """Rows dropped because their image id had come before, and how many of them said something else."""
    dropped = table["image_id"].duplicated()
    return {"dropped": int(dropped.sum()), "conflicting": int((dropped & ~table.duplicated()).sum())}


def with_labels(table: pd.DataFrame, source: SourceParams) -> tuple[pd.DataFrame, Counter[str]]:
    """The table in our labels, with targets, and the values that no vocabulary has."""
    counts = Counter(table["label"])
    labels = {value: label_of(value, source.labels) for value in counts}
    translated = table["label"].map({value: label or "unknown" for value, label in labels.items()})
    target = translated.map({label: str(target) for label, target in TARGETS.items()}).fillna("")
    unknown = Counter({value: count for value, count in counts.items() if labels[value] is None})
    return table.assign(label=translated, target=target), unknown


def check_classes(table: pd.DataFrame, unknown_labels: Counter[str], source: SourceParams) -> None:
    """Refuses a table that cannot train a classifier. Raises InputError."""
    for label in TARGETS:
        if not (table["label"] == label).any():
            found = ", ".join(f"{value} {count}" for value, count in counted(table["label"]).items())
            values = ", ".join(repr(value) for value in most_common(unknown_labels))
            raise InputError(
                f"{source.metadata} has no {label} row among {len(table)} ({found}"
                f"{'; unknown label values: ' + values if values else ''}); "
                "map its label values in source.labels or give more records"
            )


def summary(table: pd.DataFrame, reading: Reading) -> dict[str, Any]:
    """Counts for the report."""
    columns = ("label", "diagnosis", "sex", "anatom_site", "image_type", "source", "licence")
    return {
        "format": reading.format,
        "records": reading.records,
        "rows": len(table),
        "ignored_files": reading.ignored_files,
        "unreadable": {"count": len(reading.unreadable), "first": reading.unreadable[:LISTED]},
        **{column: counted(table[column]) for column in columns},
    }


def counted(column: pd.Series) -> dict[str, int]:
    """How often each value occurs; the empty one is ``(none)``, the rare ones together ``(other)``."""
    return most_common(Counter({value or "(none)": count for value, count in Counter(column).items()}))


def most_common(counts: Counter[str]) -> dict[str, int]:
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    kept = dict(ranked[:LISTED])
    rest = sum(count for _, count in ranked[LISTED:])
    return {**kept, "(other)": rest} if rest else kept


if __name__ == "__main__":
    run_stage(main)
