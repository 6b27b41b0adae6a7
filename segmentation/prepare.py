"""Stage prepare: the files of the pairs in; packed images and masks, their manifest and the unreadable out."""

from collections import Counter
from collections.abc import Generator
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pandas as pd
from pydantic import Field

from pipeline.decoding import Decoded, Geometry, Task, decode
from pipeline.errors import InputError
from pipeline.images import ARRAY, GEOMETRY, MASKS, THUMBNAILS
from pipeline.packing import ArrayWriter
from pipeline.params.image import ImageParams
from pipeline.params.reader import StageParams, read_params
from pipeline.processes import map_in_processes
from pipeline.progress import progress_bar
from pipeline.stage import run_stage
from pipeline.store import read_csv, replaced_directory, write_csv, write_json
from segmentation.params import PARAMS

PAIRS = Path("data/segmentation/pairs.csv")
IMAGES = Path("data/segmentation/images")
REPORT = Path("reports/segmentation/prepare.json")
MANIFEST_COLUMNS = ["row", "image_id", "patient_id", "sha256", "phash", "mask_share"]
QUARANTINE_COLUMNS = ["image_id", "reason"]
PAIRS_PER_WORKER = 400


class Params(StageParams):
    image: ImageParams = Field(alias="image")
    folder: str = Field(alias="source.folder")


def main() -> None:
    params = read_params(Params, PARAMS)
    pairs = read_csv(PAIRS, dtype=str, keep_default_na=False)
    with replaced_directory(IMAGES) as directory:
        report = pack(pairs, params, directory)
    write_json(REPORT, report)
    print(f"packed {report['packed']} of {report['pairs']} pairs; quarantined: {report['quarantined'] or 'none'}")


def pack(pairs: pd.DataFrame, params: Params, directory: Path) -> dict[str, Any]:
    """Decodes every pair and fills ``directory``.

    Returns: the content of reports/segmentation/prepare.json.

    Raises:
        InputError: if too many cannot be read.
    """
    folder, geometry = Path(params.folder), Geometry(params.image.size, params.image.channels, params.image.fit)
    tasks = [Task(folder / image, (folder / mask,), geometry) for image, mask in pairs[["image_id", "mask"]].to_numpy()]
    manifest: list[tuple[object, ...]] = []
    quarantine: list[tuple[str, str]] = []
    with (
        closing(_decoded(tasks)) as results,
        ArrayWriter(directory / ARRAY) as images,
        ArrayWriter(directory / MASKS) as masks,
        ArrayWriter(directory / THUMBNAILS) as thumbnails,
    ):
        for (image_id, _, patient), decoded in zip(pairs.to_numpy(), results, strict=True):
            if decoded.pixels is None or decoded.mask is None or decoded.thumbnail is None:
                quarantine.append((image_id, decoded.reason or f"mask {decoded.mask_reason}"))
                continue
            share = round(float((decoded.mask > 0).mean()), 5)
            manifest.append((len(manifest), image_id, patient, decoded.sha256, decoded.phash, share))
            images.append(decoded.pixels)
            masks.append(decoded.mask)
            thumbnails.append(decoded.thumbnail)
    _check_quarantine(quarantine, len(pairs), params.image.max_unreadable)
    write_csv(directory / "manifest.csv", pd.DataFrame(manifest, columns=MANIFEST_COLUMNS))
    write_csv(directory / "quarantine.csv", pd.DataFrame(quarantine, columns=QUARANTINE_COLUMNS))
    write_json(directory / GEOMETRY, asdict(geometry))
    return {
        "pairs": len(pairs),
        "packed": len(manifest),
        "empty_masks": sum(row[-1] == 0 for row in manifest),
        "quarantined": dict(Counter(reason.split(":")[0] for _, reason in quarantine)),
    }


def _decoded(tasks: list[Task]) -> Generator[Decoded]:
    """Every task's result, in order."""
    with (
        progress_bar("decoding", len(tasks), "pairs") as bar,
        closing(map_in_processes(decode, tasks, len(tasks) // PAIRS_PER_WORKER)) as results,
    ):
        for result in results:
            yield result
            bar.update()


def _check_quarantine(quarantine: list[tuple[str, str]], total: int, most: float) -> None:
    share = len(quarantine) / total
    if share == 1 or share > most:
        first = ", ".join(f"{image} ({reason})" for image, reason in quarantine[:3])
        raise InputError(
            f"{len(quarantine)} of {total} pairs ({share:.1%}) cannot be read, and image.max_unreadable is {most:g}; "
            f"the first: {first}; repair them or raise image.max_unreadable"
        )


if __name__ == "__main__":
    run_stage(main)
