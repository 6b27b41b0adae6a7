"""A folder of images made elsewhere, decoded and resized as every other image is."""

import hashlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.decoding import Geometry, Task, decode
from pipeline.errors import InputError
from pipeline.images import GEOMETRY, at_size
from pipeline.named_by_content import check_name
from pipeline.progress import progress_bar
from pipeline.store import read_json

IMAGES = Path("data/images")


def read_folder(key: str, path: str | None, image_size: int) -> NDArray[np.uint8]:
    """All files of a folder and those below it, by name, (N, image_size, image_size, C).

    Args:
        key: where the folder's path stands in params.yaml.

    Raises:
        InputError: if it is none, is empty, holds anything but images, or is not named after its content.
    """
    folder = Path(path) if path else None
    files = sorted(file for file in folder.rglob("*") if file.is_file()) if folder and folder.is_dir() else []
    if not folder or not files:
        raise InputError(f"{key} is {path}, which holds no file; give a folder of images")
    geometry = Geometry(**read_json(IMAGES / GEOMETRY))
    digest, images = hashlib.sha256(), []
    with progress_bar(folder.name, len(files), "images") as bar:
        for file in files:
            decoded = decode(Task(file, (), geometry))
            if decoded.pixels is None:
                raise InputError(f"{key} is {folder}, and {file.name} in it is {decoded.reason}; remove it")
            digest.update(f"{file.relative_to(folder)} {decoded.sha256}\n".encode())
            images.append(at_size(decoded.pixels[None], image_size)[0])
            bar.update()
    check_name(key, folder, digest.hexdigest())
    return np.stack(images)
