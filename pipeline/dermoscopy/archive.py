"""A whole archive of drawn photographs: their files, the records that describe them, and the truth."""

import hashlib
from collections import Counter
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.dermoscopy.cohort import Record, draw_cohort
from pipeline.dermoscopy.description import describe, public_id
from pipeline.dermoscopy.faults import VARIANTS, Fault
from pipeline.dermoscopy.files import file_content, file_name, finished_picture
from pipeline.dermoscopy.photograph import ARTEFACTS, photograph
from pipeline.dermoscopy.traits import best_auc, malignancy_probability
from pipeline.params.phantom import PhantomParams
from pipeline.processes import map_in_processes
from pipeline.progress import progress_bar
from pipeline.store import json_text, write_csv, write_json

IMAGES = "images"
DESCRIPTIONS = "descriptions"
MASKS = "masks"
IMAGES_PER_WORKER = 50
TRUTH_COLUMNS = (
    "image_id",
    "file",
    "patient_id",
    "lesion_id",
    "target",
    "asymmetry",
    "border",
    "colours",
    "diameter",
    "score",
    "probability",
    "fault",
    "variant",
    "duplicate_of",
    *ARTEFACTS,
)
Shares = dict[str, float]  # by artefact, of the photograph's pixels


def write_archive(directory: Path, phantom: PhantomParams, seed: int) -> None:
    """Fills an empty directory: a folder each of images, masks and descriptions, and the truth about them."""
    records = draw_cohort(phantom.images, phantom.malignant, fault_rates(phantom), seed, phantom.skin)
    for name in (IMAGES, DESCRIPTIONS, MASKS):
        (directory / name).mkdir()
    shares = write_photographs(directory, records, phantom.shorter_side, seed)
    write_truth(directory, records, shares, phantom.malignant, seed)


def fault_rates(phantom: PhantomParams) -> dict[Fault, float]:
    """Each fault's rate stands under its own name in params.yaml."""
    return {fault: getattr(phantom, fault) for fault in VARIANTS}


def write_photographs(
    directory: Path, records: list[Record], size: int, seed: int, workers: int | None = None
) -> list[Shares]:
    """Writes image, mask and description of each record; the files do not depend on the number of workers.

    Args:
        directory: with the folders ``images``, ``masks`` and ``descriptions``.
        size: px, the shorter side.
        workers: processes at the most; None: one for each core.

    Returns: of each record, how much of the photograph shows each artefact.
    """
    write = partial(write_photograph, directory, size, seed)
    shares = []
    with progress_bar("phantom", len(records), "images") as bar:
        for written in map_in_processes(write, records, len(records) // IMAGES_PER_WORKER, workers):
            shares.append(written)
            bar.update()
    return shares


def write_photograph(directory: Path, size: int, seed: int, record: Record) -> Shares:
    drawn = photograph(record.scene, size)
    picture, mask = finished_picture(drawn.image, drawn.mask, record.flaw)
    content = file_content(picture, record.flaw)
    (directory / IMAGES / file_name(record)).write_bytes(content)
    mask.save(directory / MASKS / f"{record.name}_segmentation.png")
    sha256 = hashlib.sha256(content).hexdigest()
    text = json_text(describe(record, sha256, *picture.size, seed))
    # not write_json, which makes missing folders: a worker that outlives its run must not bring back the run's folder
    (directory / DESCRIPTIONS / f"{record.name}.json").write_text(text, encoding="utf-8")
    return {name: round(float(seen.mean()), 5) for name, seen in drawn.artefacts.items()}


def write_truth(directory: Path, records: list[Record], shares: list[Shares], malignant: float, seed: int) -> None:
    """Writes ``truth.csv``, a row per image, and ``truth.json``, the best reachable AUC and the counts."""
    import pandas as pd  # here: the drawing processes import this module and need no tables

    rows = [_truth_row(record, malignant, seed) | share for record, share in zip(records, shares, strict=True)]
    write_csv(directory / "truth.csv", pd.DataFrame(rows, columns=list(TRUTH_COLUMNS)))
    faults = Counter(record.flaw.fault for record in records)
    summary = {
        "best_auc": best_auc(),
        "faults": {fault: faults[fault] for fault in VARIANTS},
        "images": len(records),
        "lesions": len({record.scene.lesion_seed for record in records}),
        "malignant_images": sum(record.lesion.target for record in records),
        "patients": len({record.scene.patient_seed for record in records}),
    }
    write_json(directory / "truth.json", summary)


def _truth_row(record: Record, malignant: float, seed: int) -> dict[str, Any]:
    traits = record.scene.traits
    return {
        "image_id": record.name,
        "file": file_name(record),
        "patient_id": public_id("IP", seed, record.lesion.patient.key),
        "lesion_id": public_id("IL", seed, record.lesion.key),
        "target": record.lesion.target,
        "asymmetry": traits.asymmetry,
        "border": traits.border,
        "colours": traits.colours,
        "diameter": traits.diameter,
        "score": record.lesion.score,
        "probability": float(malignancy_probability(np.array(record.lesion.score), malignant)),
        "fault": record.flaw.fault,
        "variant": record.flaw.variant,
        "duplicate_of": record.duplicate_of.name if record.duplicate_of else "",
    }
