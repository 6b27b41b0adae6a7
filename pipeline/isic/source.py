"""Reading a whole source of metadata: a file or a folder, of JSON records or of tables."""

import os
from pathlib import Path

from pipeline.errors import InputError
from pipeline.isic import known_formats
from pipeline.isic.reading import Reading
from pipeline.isic.records import SUFFIXES, read_records, suffix_of
from pipeline.isic.tables import SUFFIXES as TABLES
from pipeline.isic.tables import read_tables
from pipeline.params.source import ImageSet


def read_source(source: ImageSet) -> Reading:
    """Every record of ``metadata``.

    Raises:
        InputError: if there is none, or none that can be read.
    """
    path = Path(source.metadata)
    if not path.exists():
        raise InputError(
            f"metadata is {source.metadata}, which does not exist; give a folder of JSON records or a table, "
            "or run the stage that writes it: `dvc repro`"
        )
    reading = read_folder(path, source.columns) if path.is_dir() else read_file(path, source.columns)
    if not reading.rows:
        first = f" (the first of {len(reading.unreadable)}: {reading.unreadable[0]})" if reading.unreadable else ""
        raise InputError(
            f"metadata is {path}, which has no readable record{first}; "
            f"give JSON records or tables of a known format: {known_formats()}"
        )
    return reading


def read_file(path: Path, columns: dict[str, str]) -> Reading:
    """A file of JSON records, by its name, or else a table."""
    if path.suffix.lower() not in SUFFIXES[1:]:
        return read_tables([path], columns)
    if columns:
        raise InputError(f"columns is for tables, but metadata is {path}; set columns to {{}}")
    return read_records([str(path)])


def read_folder(folder: Path, columns: dict[str, str]) -> Reading:
    """The folder's tables, or its files of JSON records, with or without a suffix; hidden files are neither.

    Raises:
        InputError: if it holds both, or ``columns`` are given for records.
    """
    names = sorted(entry.name for entry in os.scandir(folder) if entry.is_file() and not entry.name.startswith("."))
    suffixes = {name: suffix_of(name) for name in names}
    tables = [name for name in names if suffixes[name] in TABLES]
    records = [name for name in names if suffixes[name] in SUFFIXES]
    named = [name for name in records if suffixes[name]]  # beside tables, a file without a suffix is a note
    if tables and named:
        raise InputError(
            f"metadata is {folder}, which holds both tables ({tables[0]!r}) and JSON records "
            f"({named[0]!r}); keep one of the two in it, or give the table itself"
        )
    if columns and not tables:
        raise InputError(f"columns is for tables, but metadata is the folder {folder} without one; set columns to {{}}")
    chosen = tables or records
    paths = [os.path.join(folder, name) for name in chosen]
    reading = read_tables([Path(path) for path in paths], columns) if tables else read_records(paths)
    reading.ignored_files = len(names) - len(chosen)
    return reading
