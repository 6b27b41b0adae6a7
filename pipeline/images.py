"""Image tables: packed uint8 arrays on disk, and the one resizer that every image passes through."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pipeline.errors import InputError

if TYPE_CHECKING:  # the decoding processes import this module and need no tables
    import pandas as pd

ARRAY = "images.npy"  # in a directory of packed images: (N, H, W, C) uint8
GEOMETRY = "geometry.json"  # beside it: how a file became a packed image, as decoding.Geometry
MASKS = "masks.npy"  # beside it, if there are masks: (N, H, W) uint8, 0 or 255; 0 where an image has none
THUMBNAILS = "thumbnails.npy"  # beside it, if they came from files: (N, H, W) uint8, gray, of the whole picture


def open_images(directory: Path, name: str = ARRAY) -> NDArray[np.uint8]:
    """The packed images of a directory, memory-mapped and read-only.

    Args:
        name: of the array in the directory.

    Returns: (N, H, W, C) in [0, 255]; thumbnails and masks (N, H, W).

    Raises:
        InputError: if the directory holds none.
    """
    path = directory / name
    if not path.is_file():
        raise InputError(f"{path} does not exist; run the stage that writes it, or `dvc repro`")
    return np.load(path, mmap_mode="r", allow_pickle=False)


def resize(image: Image.Image, width: int, height: int) -> Image.Image:
    """Antialiased bicubic resize: the one resizer for real and synthetic images, so that blur tells nothing."""
    return image if image.size == (width, height) else image.resize((width, height), Image.Resampling.BICUBIC)


def at_size(images: NDArray[np.uint8], size: int) -> NDArray[np.uint8]:
    """Packed square images at another size.

    Args:
        images: (N, H, W, C) in [0, 255].
        size: px, both sides of the result.

    Returns: (N, size, size, C) in [0, 255].
    """
    if images.shape[1:3] == (size, size):
        return np.ascontiguousarray(images)
    resized = np.empty((len(images), size, size, images.shape[3]), dtype=np.uint8)
    for image, small in zip(images, resized, strict=True):
        small[:] = np.asarray(resize(Image.fromarray(image.squeeze()), size, size)).reshape(small.shape)
    return resized


def contact_sheet(images: NDArray[np.uint8], columns: int, rows: int) -> Image.Image:
    """The first images side by side, row by row; white where there are no more.

    Args:
        images: (N, H, W, C) in [0, 255].
    """
    shown = images[: columns * rows]
    height, width, channels = shown.shape[1:]
    sheet = np.full((rows * columns, height, width, channels), 255, dtype=np.uint8)
    sheet[: len(shown)] = shown
    sheet = sheet.reshape(rows, columns, height, width, channels).swapaxes(1, 2)
    return Image.fromarray(sheet.reshape(rows * height, columns * width, channels).squeeze())


def rows_of(splits: "pd.DataFrame", split: str, target: int | None = None) -> NDArray[np.int64]:
    """Rows of the packed array that belong to a split, and to a class if ``target`` is given, ascending.

    Args:
        splits: data/splits.csv.
        split: train, val or test.

    Raises:
        InputError: if there are none.
    """
    chosen = splits["split"] == split
    if target is not None:
        chosen &= splits["target"] == target
    rows = np.sort(splits.loc[chosen, "row"].to_numpy(dtype=np.int64))
    if not len(rows):
        kind = {None: "", 0: " benign", 1: " malignant"}[target]
        raise InputError(
            f"data/splits.csv has no{kind} image in split {split}; give more images or change split.{split}"
        )
    return rows
