"""Stage ingest: the tables of all sources in; one table with one row per image out."""

from pathlib import Path

from pydantic import Field

from pipeline.merging import merge
from pipeline.metadata import check_classes, summary
from pipeline.params.reader import StageParams, read_params
from pipeline.params.source import Sources
from pipeline.stage import run_stage
from pipeline.store import read_csv, read_json, write_csv, write_json

SOURCES = Path("data/sources")
REPORTS = Path("reports/sources")
METADATA = Path("data/metadata.csv")
REPORT = Path("reports/ingest.json")


class Params(StageParams):
    sources: Sources = Field(alias="source")


def main() -> None:
    names = list(read_params(Params).sources.root)  # a source that is no longer named may have left its table there
    tables = {name: read_csv(SOURCES / f"{name}.csv", dtype=str, keep_default_na=False) for name in names}
    sources = {name: read_json(REPORTS / f"{name}.json") for name in names}
    table, repeated = merge(tables)
    check_classes(table, [value for source in sources.values() for value in source["unknown_labels"]])
    counts = summary(table)
    write_csv(METADATA, table)
    write_json(REPORT, counts | {"repeated": repeated, "sources": sources})
    print(f"{counts['rows']} images of {', '.join(names)}: {counts['label']}")


if __name__ == "__main__":
    run_stage(main)
