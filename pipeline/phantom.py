"""Stage phantom: nothing in; an archive of procedural dermoscopy out, and the truth about it."""

import hashlib
import io
import os
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from pydantic import Field

from pipeline.dermoscopy.cohort import FaultRates, Record, draw_cohort
from pipeline.dermoscopy.photograph import photograph
from pipeline.dermoscopy.traits import best_auc, malignancy_probability
from pipeline.params.phantom import PhantomParams
from pipeline.params.reader import StageParams, read_params
from pipeline.progress import progress_bar
from pipeline.seeding import derive_seed
from pipeline.stage import run_stage
from pipeline.store import replaced_directory, write_csv, write_json

PHANTOM = Path("data/raw/phantom")
IMAGES = "images"
DESCRIPTIONS = "descriptions"
MASKS = "masks"
JPEG_QUALITY = 92
IMAGES_PER_WORKER = 50  # fewer are drawn sooner than a process starts
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
    "duplicate_of",
)


class Params(StageParams):
    phantom: PhantomParams = Field(alias="phantom")
    seed: int = Field(alias="seed")


def main() -> None:
    params = read_params(Params)
    phantom = params.phantom
    rates = FaultRates(phantom.duplicates, phantom.unreadable, phantom.unlabelled)
    records = draw_cohort(phantom.images, phantom.malignant, rates, params.seed)
    with replaced_directory(PHANTOM) as directory:
        for name in (IMAGES, DESCRIPTIONS, MASKS):
            (directory / name).mkdir()
        write_photographs(directory, records, phantom.size, params.seed, os.cpu_count() or 1)
        write_truth(directory, records, phantom.malignant, params.seed)


def write_photographs(directory: Path, records: list[Record], size: int, seed: int, workers: int) -> None:
    """Writes image, mask and description of each record; the files do not depend on the number of workers.

    Args:
        directory: with the folders ``images``, ``masks`` and ``descriptions``.
        size: px, the shorter side.
        workers: processes at the most.
    """
    write = partial(write_photograph, directory, size, seed)
    workers = min(workers, len(records) // IMAGES_PER_WORKER)
    with progress_bar("phantom", len(records), "images") as bar:
        for _ in _map_in_processes(write, records, workers):
            bar.update()


def _map_in_processes(write: "partial[None]", records: list[Record], workers: int) -> Iterator[None]:
    with ExitStack() as stack:
        if workers < 2:
            yield from map(write, records)
        else:
            # not fork: it copies the locks of numpy's threads
            pool = stack.enter_context(ProcessPoolExecutor(workers, get_context("spawn")))
            yield from pool.map(write, records, chunksize=16)


def write_photograph(directory: Path, size: int, seed: int, record: Record) -> None:
    name = image_name(record.number)
    image, mask = photograph(record.scene, size)
    content = _image_file(image, record)
    (directory / IMAGES / f"{name}.jpg").write_bytes(content)
    Image.fromarray(mask).save(directory / MASKS / f"{name}_segmentation.png")
    sha256 = hashlib.sha256(content).hexdigest()
    height, width = mask.shape
    write_json(directory / DESCRIPTIONS / f"{name}.json", description(record, sha256, width, height, seed))


def image_name(number: int) -> str:
    return f"PHANTOM_{number:07d}"


def public_id(prefix: str, seed: int, key: str) -> str:
    """An id that tells nothing, like the archive's."""
    return f"{prefix}_{derive_seed(seed, 'phantom', 'id', key) % 10**9:09d}"


def _image_file(image: NDArray[np.uint8], record: Record) -> bytes:
    """The content of the image file; for unreadable ones truncated, empty or a web page, in turn."""
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "JPEG", quality=JPEG_QUALITY)
    content = buffer.getvalue()
    if record.fault != "unreadable":
        return content
    name = image_name(record.number)
    page = f"<!DOCTYPE html>\n<html><body><h1>404 Not Found</h1><p>{name}.jpg</p></body></html>\n"
    return (content[: len(content) // 3], b"", page.encode())[record.fault_rank % 3]


def description(record: Record, sha256: str, width: int, height: int, seed: int) -> dict[str, Any]:
    """A record of the ISIC archive's first API, with the ids and the hash that later ones have."""
    name = image_name(record.number)
    lesion = record.lesion
    labelled = record.fault != "unlabelled"
    malignant = lesion.target == 1
    clinical = {
        "age_approx": lesion.patient.age,
        "anatom_site_general": lesion.site,
        "benign_malignant": ("malignant" if malignant else "benign") if labelled else None,
        "diagnosis": ("melanoma" if malignant else "nevus") if labelled else None,
        "diagnosis_confirm_type": "histopathology" if malignant and labelled else None,
        "lesion_id": public_id("IL", seed, lesion.key),
        "melanocytic": True if labelled else None,
        "patient_id": public_id("IP", seed, lesion.patient.key),
        "sex": lesion.patient.sex,
    }
    return {
        "_id": hashlib.sha256(f"{seed}/{name}".encode()).hexdigest()[:24],
        "dataset": {"license": "CC-0", "name": "phantom"},
        "meta": {
            "acquisition": {"image_type": "dermoscopic", "pixelsX": width, "pixelsY": height},
            "clinical": clinical,
        },
        "name": name,
        "sha256": sha256,
    }


def write_truth(directory: Path, records: list[Record], malignant: float, seed: int) -> None:
    """Writes ``truth.csv``, a row per image, and ``truth.json``, the best reachable AUC and the counts."""
    import pandas as pd  # here: the drawing processes import this module and need no tables

    rows = [_truth_row(record, malignant, seed) for record in records]
    write_csv(directory / "truth.csv", pd.DataFrame(rows, columns=list(TRUTH_COLUMNS)))
    faults = Counter(record.fault for record in records)
    summary = {
        "best_auc": best_auc(),
        "faults": {fault: faults[fault] for fault in ("duplicate", "unreadable", "unlabelled")},
        "images": len(records),
        "lesions": len({record.scene.lesion_seed for record in records}),
        "malignant_images": sum(record.lesion.target for record in records),
        "patients": len({record.scene.patient_seed for record in records}),
    }
    write_json(directory / "truth.json", summary)


def _truth_row(record: Record, malignant: float, seed: int) -> dict[str, Any]:
    traits = record.scene.traits
    return {
        "image_id": image_name(record.number),
        "file": f"{image_name(record.number)}.jpg",
        "patient_id": public_id("IP", seed, record.lesion.patient.key),
        "lesion_id": public_id("IL", seed, record.lesion.key),
        "target": record.lesion.target,
        "asymmetry": traits.asymmetry,
        "border": traits.border,
        "colours": traits.colours,
        "diameter": traits.diameter,
        "score": record.lesion.score,
        "probability": float(malignancy_probability(np.array(record.lesion.score), malignant)),
        "fault": record.fault,
        "duplicate_of": image_name(record.duplicate_of) if record.duplicate_of else "",
    }


if __name__ == "__main__":
    run_stage(main)
