"""Stage prepare: the chosen images' files in; packed uint8 arrays, their manifest and the quarantine list out."""

from pathlib import Path

from pydantic import Field

from pipeline.packing import Files, Folders, pack
from pipeline.params.image import ImageParams
from pipeline.params.reader import StageParams, read_params
from pipeline.params.source import Sources
from pipeline.stage import run_stage
from pipeline.store import read_csv, replaced_directory, write_json

REDUCED = Path("data/reduced.csv")
IMAGES = Path("data/images")
REPORT = Path("reports/prepare.json")


class Params(StageParams):
    image: ImageParams = Field(alias="image")
    sources: Sources = Field(alias="source")


def main() -> None:
    params = read_params(Params)
    reduced = read_csv(REDUCED, dtype=str, keep_default_na=False)
    folders = {
        name: Folders(f"source.{name}", source.images, source.masks) for name, source in params.sources.root.items()
    }
    with replaced_directory(IMAGES) as directory:
        report = pack(reduced, Files(params.image, folders), directory)
    write_json(REPORT, report)
    print(f"packed {report['packed']} of {report['images']} images; quarantined: {report['quarantined'] or 'none'}")


if __name__ == "__main__":
    run_stage(main)
