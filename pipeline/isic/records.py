"""Reading JSON records: one a file, many in an array, pages as the archive's API gives them, or a record a line."""

import json
import os
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from typing import Any

from pipeline.isic import FORMATS, recognise
from pipeline.isic.reading import Reading
from pipeline.isic.row import text
from pipeline.processes import map_in_processes
from pipeline.progress import progress_bar

ONE_A_LINE = (".jsonl", ".ndjson")
SUFFIXES = ("", ".json", *ONE_A_LINE)  # of files with records, lower case

FILES_A_BATCH = 500  # that one process reads before it hands over what they hold
BATCHES_PER_WORKER = 20

format_of = lru_cache(maxsize=256)(recognise)  # by the set of a record's keys; there are few


def read_records(paths: Sequence[str]) -> Reading:
    """Every record, of any known format; in the order of the paths."""
    batches = [paths[start : start + FILES_A_BATCH] for start in range(0, len(paths), FILES_A_BATCH)]
    with progress_bar("reading records", sum(map(size_of, paths)), "B") as bar:
        if len(batches) < 2 * BATCHES_PER_WORKER:
            return _read_files(paths, bar.update)
        reading = Reading()
        parts = map_in_processes(_read_batch, batches, len(batches) // BATCHES_PER_WORKER)
        for part, size in parts:
            reading.extend(part)
            bar.update(size)
        return reading


def _read_batch(paths: Sequence[str]) -> tuple[Reading, int]:
    """What the files hold, and their bytes."""
    sizes: list[int] = []
    return _read_files(paths, sizes.append), sum(sizes)


def _read_files(paths: Sequence[str], read: Callable[[int], Any]) -> Reading:
    """What the files hold; ``read`` is told the bytes of each piece."""
    reading = Reading()
    for path in paths:
        try:
            for origin, written in _written(path):
                _read(origin, written, reading)
                read(len(written))
        except OSError as error:
            reading.unreadable.append(f"{text(os.path.basename(path))}: {error}")
    return reading


def size_of(path: str) -> int:
    """In bytes; 0 for what cannot be read, which is noted when it is tried."""
    try:
        return os.stat(path).st_size
    except OSError:
        return 0


def _read(origin: str, written: bytes, reading: Reading) -> None:
    try:
        records = _unpacked(origin, json.loads(written, object_pairs_hook=_object))
    except (ValueError, RecursionError) as error:  # RecursionError: JSON nested thousands deep
        reading.unreadable.append(f"{origin}: {error}")
        return
    for each, record in records:
        try:
            known = _recognised(record)
        except ValueError as error:
            reading.unreadable.append(f"{each}: {error}")
        else:
            reading.formats.add(known)
            reading.add(each, record, FORMATS[known])


def suffix_of(name: str) -> str:
    """With its dot, lower case."""
    return os.path.splitext(name)[1].lower()


def _written(path: str) -> Iterator[tuple[str, bytes]]:
    """Origin and bytes of the whole file, or of each of its lines that is not blank."""
    origin = text(os.path.basename(path))
    if suffix_of(path) in ONE_A_LINE:
        with open(path, "rb") as file:
            yield from ((f"{origin} line {number}", line) for number, line in enumerate(file, 1) if line.strip())
    else:
        with open(path, "rb", buffering=0) as file:  # read at once: of an archive's many files a buffer each costs time
            yield origin, file.read()


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Raises ValueError if a key is twice: JSON leaves open which of the two values is meant."""
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError(f"an object has a key twice: {', '.join(key for key, _ in pairs)!r:.200}")
    return found


def _unpacked(origin: str, content: Any) -> list[tuple[str, Any]]:
    """The records of an array or of a page, or the one record."""
    several = content.get("results") if isinstance(content, dict) else content
    if isinstance(several, list) and several:
        return [(f"{origin} record {number}", record) for number, record in enumerate(several, 1)]
    return [(origin, content)]


def _recognised(record: Any) -> str:
    if not isinstance(record, dict):
        raise ValueError("not a JSON object")
    known = format_of(frozenset(record))
    if known is None:
        raise ValueError(f"its keys {', '.join(record)!r:.80} are of no known record")
    return known
