"""Stage prepare: the chosen images' files in; packed uint8 arrays, their manifest and the quarantine list out."""

from pathlib import Path

from pydantic import Field

from pipeline.packing import Files, pack
from pipeline.params.image import ImageParams
from pipeline.params.reader import StageParams, read_params
from pipeline.stage import run_stage
from pipeline.store import read_csv, replaced_directory, write_json

REDUCED = Path("data/reduced.csv")
IMAGES = Path("data/images")
REPORT = Path("reports/prepare.json")


class Params(StageParams):
    image: ImageParams = Field(alias="image")
    images: str = Field(alias="source.images")
    masks: str | None = Field(alias="source.masks")


def main() -> None:
    params = read_params(Params)
    reduced = read_csv(REDUCED, dtype=str, keep_default_na=False)
    with replaced_directory(IMAGES) as directory:
        report = pack(reduced, Files(params.image, params.images, params.masks), directory)
    write_json(REPORT, report)
    print(f"packed {report['packed']} of {report['images']} images; quarantined: {report['quarantined'] or 'none'}")


if __name__ == "__main__":
    run_stage(main)
