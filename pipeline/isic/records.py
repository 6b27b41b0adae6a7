"""Reading JSON records, one file per image."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pipeline.isic import FORMATS, recognise
from pipeline.isic.reading import Reading
from pipeline.isic.row import text
from pipeline.progress import progress_bar


def read_records(paths: Sequence[Path]) -> Reading:
    """One record per file, of any known format; in the order of the paths."""
    reading = Reading()
    formats = set()
    with progress_bar("reading records", len(paths), "records") as bar:
        for path in paths:
            origin = text(path.name)
            try:
                record = _parsed(path)
                known = _recognised(record)
            except (ValueError, OSError, RecursionError) as error:  # RecursionError: JSON nested thousands deep
                reading.unreadable.append(f"{origin}: {error}")
            else:
                formats.add(known)
                reading.add(origin, record, FORMATS[known])
            bar.update()
    reading.format = "+".join(sorted(formats))
    return reading


def _parsed(path: Path) -> dict[str, Any]:
    with open(path, "rb") as file:
        record = json.loads(file.read())
    if not isinstance(record, dict):
        raise ValueError("not a JSON object")
    return record


def _recognised(record: dict[str, Any]) -> str:
    known = recognise(record)
    if known is None:
        raise ValueError(f"its keys {', '.join(record)!r:.80} are of no known record")
    return known
