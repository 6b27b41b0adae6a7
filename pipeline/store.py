"""Atomic writing: an output is complete under its name or absent, whenever the writer is killed."""

import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.errors import InputError

if TYPE_CHECKING:
    import pandas as pd


@contextmanager
def replaced_file(path: Path) -> Iterator[Path]:
    """Yields a temporary name beside ``path``; on success it takes the place of ``path``."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.partial")
    try:
        yield partial
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)


@contextmanager
def replaced_directory(path: Path) -> Iterator[Path]:
    """Yields an empty temporary directory beside ``path``; on success it takes the place of ``path``.

    Its name is this process's own: the worker processes of a killed run may outlive it, and go on writing for a moment.
    What such a run left is renamed before it is deleted, so that they find no folder to write into.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    for left in path.parent.glob(f".{path.name}.*.partial"):
        left.rename(partial)
        shutil.rmtree(partial)
    partial.mkdir()
    try:
        yield partial
        if path.exists():
            shutil.rmtree(path)
        partial.rename(path)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def write_text(path: Path, text: str) -> None:
    with replaced_file(path) as partial:
        partial.write_text(text, encoding="utf-8")


def write_json(path: Path, content: Any) -> None:
    write_text(path, json_text(content))


def json_text(content: Any) -> str:
    """Sorted keys, two spaces, a final newline: the same content is the same bytes.

    Raises:
        ValueError: for NaN or infinity, which JSON does not have.
    """
    return json.dumps(content, indent=2, sort_keys=True, allow_nan=False) + "\n"


def read_json(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def write_csv(path: Path, table: "pd.DataFrame") -> None:
    """Without the index; floats keep every digit."""
    with replaced_file(path) as partial:
        table.to_csv(partial, index=False, lineterminator="\n")


def read_csv(path: Path, **options: Any) -> "pd.DataFrame":
    """A CSV that an earlier stage wrote; ids are text, whatever they look like.

    Raises:
        InputError: when it is not there.
    """
    import pandas as pd

    if not path.is_file():
        raise InputError(f"{path} does not exist; run the stage that writes it, or `dvc repro`")
    return pd.read_csv(path, **{"dtype": {"image_id": str, "group_id": str}, **options})


def sha256_of_file(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
