"""Stage read_source: one source's metadata, in whatever format, in; one table with one row per image out."""

from pathlib import Path

from pydantic import Field

from pipeline.errors import InputError
from pipeline.metadata import read_metadata
from pipeline.params.reader import StageParams, read_params
from pipeline.params.source import SourceParams
from pipeline.stage import run_stage
from pipeline.store import write_csv, write_json

SOURCES = Path("data/sources")
REPORTS = Path("reports/sources")


class Params(StageParams):
    source: SourceParams = Field(alias="source.${item.set}")


def main(name: str) -> None:
    params = read_params(Params, set=name)
    try:
        table, report = read_metadata(params.source)
    except InputError as error:
        raise InputError(f"source.{name}: {error}") from error
    write_csv(SOURCES / f"{name}.csv", table)
    write_json(REPORTS / f"{name}.json", report)
    print(f"{report['rows']} rows from {report['records']} records ({report['format']})")


if __name__ == "__main__":
    run_stage(main, "set")
