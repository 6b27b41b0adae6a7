"""ISIC archive v1: one JSON record per image, as the archive's API gave them until 2023."""

from collections.abc import Mapping
from typing import Any

from pipeline.isic.row import Format, Row, identify, text, years


def row(record: Mapping[str, Any]) -> Row:
    """A record's row; the archive's mark ``image_manipulation: synthetic`` becomes the image type."""
    meta, dataset = _section(record, "meta"), _section(record, "dataset")
    clinical, acquisition = _section(meta, "clinical"), _section(meta, "acquisition")
    image_id, file = identify(record["name"])
    synthetic = acquisition.get("image_manipulation") == "synthetic"
    return Row(
        image_id=image_id,
        file=file,
        sha256=text(record.get("sha256")),
        label=text(clinical.get("benign_malignant")),
        diagnosis=text(clinical.get("diagnosis")),
        patient_id=text(clinical.get("patient_id")),
        lesion_id=text(clinical.get("lesion_id")),
        sex=text(clinical.get("sex")),
        age_approx=years(clinical.get("age_approx")),
        anatom_site=text(clinical.get("anatom_site_general")),
        image_type="synthetic" if synthetic else text(acquisition.get("image_type")),
        source=text(dataset.get("name")),
        licence=text(record.get("licence") or dataset.get("license")),
        attribution=text(record.get("attribution")),
    )


def _section(record: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    section = record.get(key) or {}
    if not isinstance(section, Mapping):
        raise ValueError(f"{key} is {section!r:.40} and not a mapping")
    return section


FORMAT = Format(frozenset({"name", "meta"}), row)
