"""Image files, whatever their format and damage, as packed arrays with a manifest and a list of the unreadable."""

from collections import Counter
from collections.abc import Generator, Mapping
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.decoding import Decoded, Geometry, Task, decode
from pipeline.errors import InputError
from pipeline.images import ARRAY, GEOMETRY, MASKS, THUMBNAILS
from pipeline.params.image import ImageParams
from pipeline.processes import map_in_processes
from pipeline.progress import progress_bar
from pipeline.store import write_csv, write_json

MANIFEST_COLUMNS = ["row", "image_id", "file", "bytes", "sha256", "phash"]
QUARANTINE_COLUMNS = ["image_id", "file", "reason"]
BYTES_PER_WORKER = 20_000_000  # fewer are decoded sooner than a process starts


class Folders(NamedTuple):
    """Of one dataset."""

    key: str  # what the next two stand under in params.yaml, for messages: source.phantom
    images: str
    masks: str | None


class Files(NamedTuple):
    """What is made of the files, and where they are, by dataset."""

    image: ImageParams
    folders: Mapping[str, Folders]

    @property
    def with_masks(self) -> bool:
        return any(folders.masks is not None for folders in self.folders.values())


class Entry(NamedTuple):
    """What is needed of a row of the metadata."""

    image_id: str
    file: str
    sha256: str  # empty: unknown
    dataset: str


def pack(reduced: pd.DataFrame, files: Files, directory: Path, workers: int | None = None) -> dict[str, Any]:
    """Decodes every file and fills ``directory``; the result does not depend on ``workers``.

    Args:
        reduced: image_id, file, sha256, dataset, all text.
        workers: processes at the most; None: one for each core.

    Returns: the content of reports/prepare.json.

    Raises:
        InputError: if a folder is missing, a file is not the one of the metadata, or too many cannot be read.
    """
    _check_folders(files)
    images = [Entry(*row) for row in reduced[list(Entry._fields)].to_numpy()]
    tasks = [_task(image, files) for image in images]
    manifest: list[tuple[object, ...]] = []
    quarantine: list[tuple[str, str, str]] = []
    masks, private = Counter[str](), Counter[str]()
    blank = np.zeros((files.image.size, files.image.size), np.uint8)  # the mask where there is none
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
            private.update(decoded.private)
            pixels.append(decoded.pixels)
            thumbnails.append(decoded.thumbnail)
            if files.with_masks:
                masks[_mask_state(decoded)] += 1
                mask_images.append(blank if decoded.mask is None else decoded.mask)
    _check_quarantine(quarantine, len(images), files)
    write_csv(directory / "manifest.csv", pd.DataFrame(manifest, columns=MANIFEST_COLUMNS))
    write_json(directory / GEOMETRY, asdict(geometry(files)))
    write_csv(directory / "quarantine.csv", pd.DataFrame(quarantine, columns=QUARANTINE_COLUMNS))
    return {
        "images": len(images),
        "packed": len(manifest),
        "quarantined": dict(Counter(reason.split(":")[0] for _, _, reason in quarantine)),
        "private_fields": dict(private),
        "masks": dict(masks) if files.with_masks else None,
    }


def _check_folders(files: Files) -> None:
    for of_dataset in files.folders.values():
        for name in ("images", "masks"):
            folder = getattr(of_dataset, name)
            if folder is not None and not Path(folder).is_dir():
                key = f"{of_dataset.key}.{name}"
                raise InputError(f"{key} is {folder}, which is no folder; put the files there or correct {key}")


def _task(image: Entry, files: Files) -> Task:
    folders = files.folders[image.dataset]
    own_id = image.image_id.removeprefix(f"{image.dataset}.")  # as the source itself has it
    names = (f"{own_id}_segmentation.png", f"{own_id}.png")
    masks = () if folders.masks is None else tuple(Path(folders.masks) / name for name in names)
    return Task(Path(folders.images) / image.file, masks, geometry(files))


def geometry(files: Files) -> Geometry:
    return Geometry(files.image.size, files.image.channels, files.image.fit)


def _decoded(tasks: list[Task], workers: int | None) -> Generator[Decoded]:
    """Every task's result, in order."""
    worth = sum(_size(task.path) for task in tasks) // BYTES_PER_WORKER
    decoding = map_in_processes(decode, tasks, worth, workers)
    with progress_bar("decoding", len(tasks), "images") as bar, closing(decoding) as results:
        for result in results:
            yield result
            bar.update()


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:  # it will be quarantined
        return 0


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


def _check_quarantine(quarantine: list[tuple[str, str, str]], total: int, files: Files) -> None:
    share = len(quarantine) / total
    places = " or ".join(f"{folders.key}.images {folders.images}" for folders in files.folders.values())
    if share == 1 and all(reason == "missing" for _, _, reason in quarantine):
        raise InputError(
            f"none of the {total} files is in {places}, not even {quarantine[0][1]}; put the images there or correct "
            "the path"
        )
    if share == 1 or share > files.image.max_unreadable:
        first = ", ".join(f"{file} ({reason})" for _, file, reason in quarantine[:3])
        raise InputError(
            f"{len(quarantine)} of {total} files ({share:.1%}) cannot be read, and image.max_unreadable is "
            f"{files.image.max_unreadable:g}; the first: {first}; repair them or raise image.max_unreadable"
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
