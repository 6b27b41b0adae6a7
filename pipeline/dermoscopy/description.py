"""The metadata record of an image, as the ISIC archive's first API gave it."""

import hashlib
from typing import Any

from pipeline.dermoscopy.cohort import Record
from pipeline.dermoscopy.files import file_name
from pipeline.seeding import derive_seed

DIAGNOSES = {"benign": "nevus", "malignant": "melanoma", "indeterminate": "atypical melanocytic proliferation"}


def describe(record: Record, sha256: str, width: int, height: int, seed: int) -> dict[str, Any]:
    """The record's JSON, with the ids and the hash that later APIs have.

    Args:
        width, height: px, of the upright picture.
    """
    file = file_name(record)
    acquisition: dict[str, Any] = {"image_type": record.scene.image_type, "pixelsX": width, "pixelsY": height}
    if record.flaw.fault == "synthetic":
        acquisition["image_manipulation"] = "synthetic"
    return {
        "_id": hashlib.sha256(f"{seed}/{record.name}".encode()).hexdigest()[:24],
        "dataset": {"license": "CC-0", "name": "phantom"},
        "meta": {"acquisition": acquisition, "clinical": _clinical(record, seed)},
        "name": record.name if file.endswith(".jpg") else file,  # the archive's names stand for JPEGs
        "sha256": sha256,
    }


def public_id(prefix: str, seed: int, key: str) -> str:
    """An id that tells nothing, like the archive's."""
    return f"{prefix}_{derive_seed(seed, 'phantom', 'id', key) % 10**9:09d}"


def _clinical(record: Record, seed: int) -> dict[str, Any]:
    lesion, label = record.lesion, _label(record)
    return {
        "age_approx": lesion.patient.age,
        "anatom_site_general": lesion.site,
        "benign_malignant": label,
        "diagnosis": DIAGNOSES[label] if label else None,
        "diagnosis_confirm_type": "histopathology" if label and label != "benign" else None,
        "lesion_id": public_id("IL", seed, lesion.key),
        "melanocytic": True if label else None,
        "patient_id": public_id("IP", seed, lesion.patient.key),
        "sex": lesion.patient.sex,
    }


def _label(record: Record) -> str | None:
    if record.flaw.fault == "unlabelled":
        return None
    if record.flaw.fault == "indeterminate":
        return "indeterminate"
    return "malignant" if record.lesion.target else "benign"
