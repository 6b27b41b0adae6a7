"""Sources of metadata, written for a test: params, records and tables."""

import json
from pathlib import Path
from typing import Any

import pandas as pd

from pipeline import ingest, phantom, prepare, read_source, reduce
from pipeline.merging import merge
from pipeline.metadata import check_classes, read_metadata, summary
from pipeline.params.source import ImageSet


def source_of(metadata: object, **changes: object) -> ImageSet:
    values = {"images": "images", "columns": {}, "labels": {}, **changes}
    return ImageSet.model_validate({"metadata": str(metadata), **values})


def ingested(source: ImageSet, name: str = "here") -> tuple[pd.DataFrame, dict[str, Any]]:
    """What the stages read_source and ingest make of the one source: data/metadata.csv and the counts of both."""
    read, report = read_metadata(source)
    table, _ = merge({name: read})
    check_classes(table, report["unknown_labels"])
    return table, report | summary(table)


def packed_phantom() -> None:
    """Draws the phantom of params.yaml and takes it as far as packed images, in the working directory."""
    phantom.main()
    read_source.main("phantom")
    for stage in (ingest, reduce, prepare):
        stage.main()


def record(name: object, label: str | None = "benign", **clinical: object) -> dict:
    """A record of the archive's first API."""
    return {
        "_id": "1",
        "name": name,
        "meta": {"clinical": {"benign_malignant": label, **clinical}, "acquisition": {"image_type": "dermoscopic"}},
    }


def record_v2(isic_id: object, diagnosis_1: str | None = "Benign", **clinical: object) -> dict:
    """A record of the archive's second API."""
    return {
        "isic_id": isic_id,
        "copyright_license": "CC-BY",
        "attribution": "A clinic",
        "public": True,
        "files": {"full": {"url": "https://example.org/a", "size": 7}},
        "metadata": {
            "acquisition": {"pixels_x": 5, "pixels_y": 4, "image_type": "dermoscopic"},
            "clinical": {"diagnosis_1": diagnosis_1, **clinical},
        },
    }


def write_records(folder: Path, *records: object) -> str:
    folder.mkdir(exist_ok=True)
    for number, content in enumerate(records):
        text = content if isinstance(content, str) else json.dumps(content)
        (folder / f"{number:03d}.json").write_text(text)
    return str(folder)


def write_csv_lines(path: Path, *lines: str) -> str:
    path.parent.mkdir(exist_ok=True)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return str(path)


PAIR = (record("A"), record("B", "malignant"))
AIDL21_HEADER = "ID,dcm_name,age,anatomy,benign_malignant,diagnosis,sex,target"
