"""Stage ingest: the source's metadata, in whatever format, in; one table with one row per image out."""

from pathlib import Path

from pydantic import Field

from pipeline.metadata import read_metadata
from pipeline.params.reader import StageParams, read_params
from pipeline.params.source import SourceParams
from pipeline.stage import run_stage
from pipeline.store import write_csv, write_json

METADATA = Path("data/metadata.csv")
REPORT = Path("reports/ingest.json")


class Params(StageParams):
    source: SourceParams = Field(alias="source")


def main() -> None:
    table, report = read_metadata(read_params(Params).source)
    write_csv(METADATA, table)
    write_json(REPORT, report)
    print(f"{report['rows']} rows from {report['records']} records ({report['format']}): {report['label']}")


if __name__ == "__main__":
    run_stage(main)
