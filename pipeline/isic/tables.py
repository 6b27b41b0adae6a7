"""Reading tables of one format as one: CSVs, separated by comma or semicolon, and parquet files."""

import csv
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

from pipeline.errors import InputError
from pipeline.isic import FORMATS, known_formats, parquet, recognise
from pipeline.isic.mapped import mapped_format
from pipeline.isic.reading import Reading
from pipeline.isic.row import Format, Record, text

SUFFIXES = (".csv", parquet.SUFFIX)  # lower case
SPLIT_IN_NAME = re.compile(r"(?<![a-z])(train|training|val|validation|test)(?![a-z])", re.IGNORECASE)

Headers = Mapping[Path, Sequence[str]]


def read_tables(paths: Sequence[Path], columns: Mapping[str, str]) -> Reading:
    """The rows of every table with labels, in the order of the paths.

    Args:
        paths: at least one table.
        columns: as of ``ImageSet``; empty: the tables are of a known format.

    Raises:
        InputError: if one is no table, or of another format than the rest.
    """
    headers = {path: header_of(path) for path in paths}
    name, known = mapped(headers, columns) if columns else recognised(headers)
    labelled = [path for path in paths if known.required <= set(headers[path])]
    columns_of_all = sorted({column for header in headers.values() for column in header})
    reading = Reading(formats={name}, leaks=[column for column in columns_of_all if column.startswith(known.leaks)])
    details = details_of([path for path in paths if path not in labelled], headers, known, reading)
    used = set()
    for path in labelled:
        split = split_of(path.name) if known.split_in_name else {}
        for origin, record in records_of(path, headers, reading):
            if details:
                image = record[known.key].strip()
                used.add(image)
                record = {**details.get(image, {}), **record}
            reading.add(origin, {**split, **record} if split else record, known)
    if reading.joined:
        reading.joined["unmatched"] = len(details.keys() - used)
    return reading


def details_of(paths: Sequence[Path], headers: Headers, known: Format, reading: Reading) -> dict[str, Record]:
    """The first row of every image in the tables without labels, by image."""
    details: dict[str, Record] = {}
    rows = 0
    for path in paths:
        for _, record in records_of(path, headers, reading):
            details.setdefault(record[known.key].strip(), record)
            rows += 1
    if paths:
        reading.joined = {"records": rows, "repeated": rows - len(details)}
    return details


def split_of(name: str) -> dict[str, str]:
    """The official split that a file's name tells, as a field; none if it tells none."""
    found = SPLIT_IN_NAME.search(name)
    return {"official_split": found[1]} if found else {}


def records_of(path: Path, headers: Headers, reading: Reading) -> Iterator[tuple[str, dict[str, Any]]]:
    """Origin and fields of every line below the header; lines of another length are noted as unreadable."""
    header, place = headers[path], f"{text(path.name)} {'row' if is_parquet(path) else 'line'}"
    lines = lines_of(path)
    next(lines, None)
    for number, values in lines:
        if len(values) == len(header):
            yield f"{place} {number}", dict(zip(header, values, strict=True))
        else:
            reading.unreadable.append(f"{place} {number}: {len(values)} values for {len(header)} columns")


def header_of(path: Path) -> list[str]:
    """The columns' names.

    Raises:
        InputError: if two have the same.
    """
    header = [column.strip() for column in next(lines_of(path), (0, []))[1]]
    name, count = Counter(filter(None, header)).most_common(1)[0] if any(header) else ("", 0)
    if count > 1:
        raise InputError(f"{path} has {count} columns {name!r:.80}; a column's name must be its own, rename the others")
    return header


def is_parquet(path: Path) -> bool:
    return path.suffix.lower() == parquet.SUFFIX


def lines_of(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Number and values of the header, then of every line or row. Raises InputError if it is no table."""
    return parquet.lines_of(path) if is_parquet(path) else lines_of_csv(path)


def lines_of_csv(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Number and values of every line that is not blank, the header's first.

    Raises:
        InputError: if it is no CSV in UTF-8.
    """
    number = 0
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            first = file.readline()
            separator = ";" if first.count(";") > first.count(",") else ","
            # Strict: after a lost quote, one image's row would else go on in another's, and end in its label.
            reader = csv.reader(chain([first], file), delimiter=separator, strict=True)
            for values in reader:
                number = reader.line_num
                if values:
                    yield number, values
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(
            f"{path} is no CSV in UTF-8 below line {number}: {error}; correct it, or export it again as UTF-8 text"
        ) from error


def mapped(headers: Headers, columns: Mapping[str, str]) -> tuple[str, Format]:
    """The user's own format. Raises InputError if a table lacks a column of it."""
    known = mapped_format(columns)
    for path, header in headers.items():
        absent = sorted(known.required - set(header))
        if absent:
            raise InputError(
                f"columns maps {', '.join(absent)}, which {path} does not have; "
                f"its columns are {', '.join(header)!r:.300}"
            )
    return "mapped", known


def recognised(headers: Headers) -> tuple[str, Format]:
    """Name and format of the tables.

    Raises:
        InputError: if one is of none, if they are of several, or if there are only tables without labels.
    """
    names = {path: recognise(header) for path, header in headers.items()}
    found = {name: path for path, name in names.items() if name}
    if len(found) > 1:
        examples = ", ".join(f"{path.name!r} ({name})" for name, path in sorted(found.items()))
        raise InputError(f"the folder has tables of several formats: {examples}; keep those of one format in it")
    strays = [path for path, name in names.items() if not name and not goes_beside(headers[path], found)]
    if strays:
        raise InputError(unknown(strays[0], headers[strays[0]]))
    name = next(iter(found))
    return name, FORMATS[name]


def goes_beside(header: Sequence[str], names: Iterable[str]) -> list[str]:
    """Those of the formats with whose ground truth a table with this header is published."""
    return [name for name in names if FORMATS[name].beside and FORMATS[name].beside <= set(header)]


def unknown(path: Path, header: Sequence[str]) -> str:
    """What to tell of a table of no known format, or of one that only goes beside another."""
    beside = goes_beside(header, FORMATS)
    remedy = "map its columns in the source's columns"
    if beside:
        remedy = f"it goes beside a ground truth of {' or '.join(beside)}: give a folder with both"
    shown = ", ".join(header)
    return f"{path} has the columns {shown!r:.300}, no known format with labels; known: {known_formats()}; {remedy}"
