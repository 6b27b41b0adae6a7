"""Reading a whole source of metadata: a folder of JSON records, or one CSV."""

import csv
import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from pipeline.errors import InputError
from pipeline.isic import FORMATS, recognise
from pipeline.isic.mapped import mapped_format
from pipeline.isic.row import Format, Row
from pipeline.params.source import SourceParams
from pipeline.progress import progress_bar

SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass
class Reading:
    """What a source holds."""

    format: str = ""
    rows: list[Row] = field(default_factory=list)
    unreadable: list[str] = field(default_factory=list)  # a record's name and what is wrong with it
    ignored_files: int = 0  # files of the folder that are no records by their name

    @property
    def records(self) -> int:
        return len(self.rows) + len(self.unreadable)

    def add(self, origin: str, record: dict[str, Any], known: Format) -> None:
        """Reads one record, or notes that it cannot be.

        Raises:
            InputError: if the file that it names might lie outside the images.
        """
        try:
            row = known.row(record)
        except ValueError as error:
            self.unreadable.append(f"{origin}: {error}")
        else:
            self.rows.append(checked(row, origin))


def read_source(source: SourceParams) -> Reading:
    """Every record of ``source.metadata``.

    Raises:
        InputError: if there is none, or none that can be read.
    """
    path = Path(source.metadata)
    if not path.exists():
        raise InputError(
            f"source.metadata is {source.metadata}, which does not exist; give a folder of JSON records or a CSV, "
            "or run the stage that writes it: `dvc repro`"
        )
    if path.is_dir() and source.columns:
        raise InputError(
            f"source.columns is for a CSV, but source.metadata is the folder {path}; set source.columns to {{}}"
        )
    reading = read_folder(path) if path.is_dir() else read_table(path, source.columns)
    if not reading.rows:
        first = f" (the first of {len(reading.unreadable)}: {reading.unreadable[0]})" if reading.unreadable else ""
        raise InputError(f"source.metadata is {path}, which has no readable record{first}; give JSON records or a CSV")
    return reading


def read_folder(folder: Path) -> Reading:
    """One JSON record per file, with or without ``.json``, in the order of the names."""
    names = sorted(entry.name for entry in os.scandir(folder) if entry.is_file() and not entry.name.startswith("."))
    chosen = [name for name in names if Path(name).suffix.lower() in ("", ".json")]
    reading = Reading(ignored_files=len(names) - len(chosen))
    formats = set()
    with progress_bar("reading records", len(chosen), "records") as bar:
        for name in chosen:
            try:
                record = _parsed(folder / name)
                known = recognise(record)
                if known is None:
                    raise ValueError(f"its keys {', '.join(record)!r:.80} are of no known record")
            except (ValueError, OSError, RecursionError) as error:  # RecursionError: JSON nested thousands deep
                reading.unreadable.append(f"{name}: {error}")
            else:
                formats.add(known)
                reading.add(name, record, FORMATS[known])
            bar.update()
    reading.format = "+".join(sorted(formats))
    return reading


def _parsed(path: Path) -> dict[str, Any]:
    with open(path, "rb") as file:
        record = json.loads(file.read())
    if not isinstance(record, dict):
        raise ValueError("not a JSON object")
    return record


def read_table(path: Path, columns: dict[str, str]) -> Reading:
    """A CSV of a known format, or of any through ``columns``; separated by comma or semicolon."""
    with open(path, encoding="utf-8-sig", newline="") as file:
        try:
            lines = _lines(file.readline(), file)
            header = next(lines, (0, []))[1]
            name, known = _table_format(path, header, columns)
            reading = Reading(format=name)
            for number, values in lines:
                if len(values) == len(header):
                    reading.add(f"line {number}", dict(zip(header, values, strict=True)), known)
                else:
                    reading.unreadable.append(f"line {number}: {len(values)} values for {len(header)} columns")
        except (UnicodeDecodeError, csv.Error) as error:
            raise InputError(f"{path} is no CSV in UTF-8: {error}; export it again as UTF-8 text") from error
    return reading


def _lines(header: str, rest: Iterator[str]) -> Iterator[tuple[int, list[str]]]:
    """Number and values of every line that is not blank, the header's first."""
    separator = ";" if header.count(";") > header.count(",") else ","
    yield 1, [column.strip() for column in next(csv.reader([header], delimiter=separator), [])]
    reader = csv.reader(rest, delimiter=separator)
    yield from ((reader.line_num + 1, values) for values in reader if values)


def _table_format(path: Path, header: list[str], columns: dict[str, str]) -> tuple[str, Format]:
    if columns:
        known = mapped_format(columns)
        absent = sorted(known.required - set(header))
        if absent:
            raise InputError(
                f"source.columns maps {', '.join(absent)}, which {path} does not have; "
                f"its columns are {', '.join(header)}"
            )
        return "mapped", known
    name = recognise(header)
    if name is None:
        formats = "; ".join(f"{name} ({', '.join(sorted(known.required))})" for name, known in FORMATS.items())
        raise InputError(
            f"{path} has the columns {', '.join(header)!r:.300}, no known format; known: {formats}; "
            "map its columns in source.columns"
        )
    return name, FORMATS[name]


def checked(row: Row, origin: str) -> Row:
    """The row, its hash in lower case, if its names are harmless.

    Raises:
        InputError: if its file may lie outside the images' folder, or its hash is none.
    """
    if not _is_inside(row.file):
        raise InputError(
            f"{origin} names the file {row.file!r}, which may lie outside source.images; "
            "a name must be relative, without .. or backslash or control characters"
        )
    if not row.image_id.isprintable() or row.image_id in ("", "..") or "/" in row.image_id or "\\" in row.image_id:
        raise InputError(f"{origin} has the image id {row.image_id!r}; an id must be a plain file name without folders")
    digest = row.sha256.lower()
    if digest and not SHA256.fullmatch(digest):
        raise InputError(f"{origin} has the sha256 {row.sha256!r}; it must be 64 hexadecimal digits or empty")
    return row._replace(sha256=digest) if digest != row.sha256 else row


def _is_inside(file: str) -> bool:
    parts = file.split("/")
    return (
        bool(PurePosixPath(file).name)
        and file.isprintable()
        and "\\" not in file
        and ".." not in parts
        and parts[0] != ""
        and ":" not in parts[0]  # a Windows drive
    )
