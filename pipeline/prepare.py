"""Stage prepare: the chosen images' files in; packed uint8 arrays, their manifest and the quarantine list out."""

import os
from collections import Counter
from collections.abc import Generator
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from dataclasses import asdict
from multiprocessing import get_context
from pathlib import Path
from typing import Any, NamedTuple, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import Field

from pipeline.decoding import Decoded, Geometry, Task, decode
from pipeline.errors import InputError
from pipeline.images import ARRAY, GEOMETRY, MASKS, THUMBNAILS
from pipeline.params.image import ImageParams
from pipeline.params.reader import StageParams, read_params
from pipeline.progress import progress_bar
from pipeline.stage import run_stage
from pipeline.store import read_csv, replaced_directory, write_csv, write_json

REDUCED = Path("data/reduced.csv")
IMAGES = Path("data/images")
REPORT = Path("reports/prepare.json")

MANIFEST_COLUMNS = ["row", "image_id", "file", "bytes", "sha256", "phash"]
QUARANTINE_COLUMNS = ["image_id", "file", "reason"]
BYTES_PER_WORKER = 20_000_000  # fewer are decoded sooner than a process starts


class Params(StageParams):
    image: ImageParams = Field(alias="image")
    images: str = Field(alias="source.images")
    masks: str | None = Field(alias="source.masks")


class Entry(NamedTuple):
    """What this stage needs of a row of data/reduced.csv."""

    image_id: str
    file: str
    sha256: str  # empty: unknown


def main() -> None:
    params = read_params(Params)
    reduced = read_csv(REDUCED, dtype=str, keep_default_na=False)
    with replaced_directory(IMAGES) as directory:
        report = prepare(reduced, params, directory, workers=os.cpu_count() or 1)
    write_json(REPORT, report)
    print(f"packed {report['packed']} of {report['images']} images; quarantined: {report['quarantined'] or 'none'}")


def prepare(reduced: pd.DataFrame, params: Params, directory: Path, workers: int) -> dict[str, Any]:
    """Decodes every file and fills ``directory``; the result does not depend on ``workers``.

    Args:
        reduced: data/reduced.csv, all text.

    Returns: the content of reports/prepare.json.

    Raises:
        InputError: if a folder is missing, a file is not the one of the metadata, or too many cannot be read.
    """
    _check_folders(params)
    images = [Entry(*row) for row in reduced[list(Entry._fields)].to_numpy()]
    tasks = [_task(image, params) for image in images]
    manifest: list[tuple[object, ...]] = []
    quarantine: list[tuple[str, str, str]] = []
    masks = Counter[str]()
    blank = np.zeros((params.image.size, params.image.size), np.uint8)  # the mask where there is none
    with (
        closing(_decoded(tasks, workers)) as results,
        ArrayWriter(directory / ARRAY) as pixels,
        ArrayWriter(directory / THUMBNAILS) as thumbnails,
        ArrayWriter(directory / MASKS) as mask_images,
    ):
        for image, decoded in zip(images, results, strict=True):
            _check_sha256(image, decoded)
            if decoded.pixels is None or decoded.thumbnail is None:
                quarantine.append((image.image_id, image.file, decoded.reason))
                continue
            row = (len(manifest), image.image_id, image.file, decoded.bytes, decoded.sha256, decoded.phash)
            manifest.append(row)
            pixels.append(decoded.pixels)
            thumbnails.append(decoded.thumbnail)
            if params.masks is not None:
                masks[_mask_state(decoded)] += 1
                mask_images.append(blank if decoded.mask is None else decoded.mask)
    _check_quarantine(quarantine, len(images), params)
    write_csv(directory / "manifest.csv", pd.DataFrame(manifest, columns=MANIFEST_COLUMNS))
    write_json(directory / GEOMETRY, asdict(geometry(params)))
    write_csv(directory / "quarantine.csv", pd.DataFrame(quarantine, columns=QUARANTINE_COLUMNS))
    return {
        "images": len(images),
        "packed": len(manifest),
        "quarantined": dict(Counter(reason.split(":")[0] for _, _, reason in quarantine)),
        "masks": None if params.masks is None else dict(masks),
    }


def _check_folders(params: Params) -> None:
    for key, folder in (("source.images", params.images), ("source.masks", params.masks)):
        if folder is not None and not Path(folder).is_dir():
            raise InputError(f"{key} is {folder}, which is no folder; put the files there or correct {key}")


def _task(image: Entry, params: Params) -> Task:
    names = (f"{image.image_id}_segmentation.png", f"{image.image_id}.png")
    masks = () if params.masks is None else tuple(Path(params.masks) / name for name in names)
    return Task(Path(params.images) / image.file, masks, geometry(params))


def geometry(params: Params) -> Geometry:
    return Geometry(params.image.size, params.image.channels, params.image.fit)


def _decoded(tasks: list[Task], workers: int) -> Generator[Decoded]:
    """Every task's result, in order."""
    workers = min(workers, sum(_size(task.path) for task in tasks) // BYTES_PER_WORKER)
    with progress_bar("decoding", len(tasks), "images") as bar, closing(_map_in_processes(tasks, workers)) as results:
        for result in results:
            yield result
            bar.update()


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:  # it will be quarantined
        return 0


def _map_in_processes(tasks: list[Task], workers: int) -> Generator[Decoded]:
    if workers < 2:
        yield from map(decode, tasks)
        return
    pool = ProcessPoolExecutor(workers, get_context("spawn"))  # not fork: it copies the locks of numpy's threads
    try:
        yield from pool.map(decode, tasks, chunksize=16)
    finally:
        pool.shutdown(cancel_futures=True)  # after a mistake in the data, do not decode the rest


def _check_sha256(image: Entry, decoded: Decoded) -> None:
    if image.sha256 and decoded.sha256 and decoded.sha256 != image.sha256:
        raise InputError(
            f"{image.file} has changed: its sha256 is {decoded.sha256}, in the metadata it is {image.sha256}; "
            "restore the file, or write the metadata anew (`dvc repro -s -f phantom`) and run `dvc repro`"
        )


def _mask_state(decoded: Decoded) -> str:
    if decoded.mask is not None:
        return "found"
    return decoded.mask_reason.split(":")[0] or "missing"


def _check_quarantine(quarantine: list[tuple[str, str, str]], total: int, params: Params) -> None:
    share = len(quarantine) / total
    if share == 1 and all(reason == "missing" for _, _, reason in quarantine):
        raise InputError(
            f"none of the {total} files is in source.images {params.images}, not even {quarantine[0][1]}; "
            "put the images there or correct source.images"
        )
    if share == 1 or share > params.image.max_unreadable:
        first = ", ".join(f"{file} ({reason})" for _, file, reason in quarantine[:3])
        raise InputError(
            f"{len(quarantine)} of {total} files ({share:.1%}) cannot be read, and image.max_unreadable is "
            f"{params.image.max_unreadable:g}; the first: {first}; repair them or raise image.max_unreadable"
        )


class ArrayWriter:
    """An .npy file that grows image by image, so that the set need not fit in memory.

    The same bytes as ``np.save`` of the stacked images; no file when there was none.
    """

    def __init__(self, path: Path) -> None:
        self.path, self.count = path, 0
        self.item: NDArray[np.uint8] | None = None

    def __enter__(self) -> Self:
        self.file = self.path.open("wb")
        return self

    def append(self, item: NDArray[np.uint8]) -> None:
        if self.count == 0:
            self._write_header(item.shape)
        self.count += 1
        self.shape = item.shape
        self.file.write(np.ascontiguousarray(item).data)

    def __exit__(self, *error: object) -> None:
        if self.count:
            self.file.seek(0)
            self._write_header(self.shape)
        self.file.close()
        if not self.count:
            self.path.unlink()

    def _write_header(self, shape: tuple[int, ...]) -> None:
        """The header's length does not depend on the count: numpy leaves room for the first axis to grow."""
        header = {"descr": "|u1", "fortran_order": False, "shape": (self.count, *shape)}
        np.lib.format.write_array_header_1_0(self.file, header)


if __name__ == "__main__":
    run_stage(main)
