"""One image's metadata, whatever the format it came in, and the few conversions that every format needs."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, NamedTuple

IMAGE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".tif", ".tiff", ".bmp", ".webp"})


class Row(NamedTuple):
    """A row of data/metadata.csv before its label is translated; empty where the record does not say."""

    image_id: str
    file: str
    sha256: str = ""
    label: str = ""  # in the record's own words
    diagnosis: str = ""
    patient_id: str = ""
    lesion_id: str = ""
    sex: str = ""
    age_approx: str = ""  # years
    anatom_site: str = ""
    image_type: str = ""
    source: str = ""
    licence: str = ""
    attribution: str = ""


@dataclass(frozen=True)
class Format:
    """A metadata format: the fields by which it is recognised, and how one of its records becomes a row."""

    required: frozenset[str]
    row: Callable[[Mapping[str, Any]], Row]


def text(value: Any) -> str:
    """One printable line; empty for null.

    Raises:
        ValueError: for a list or a mapping.
    """
    if value is None:
        return ""
    if isinstance(value, list | dict):
        raise ValueError(f"expected text or a number, got {value!r:.40}")
    line = str(value).strip()
    if line.isprintable():
        return line
    return " ".join("".join(letter if letter.isprintable() else " " for letter in line).split())


def years(value: Any) -> str:
    """An age without a needless ``.0``; empty for null and for not-a-number."""
    try:
        age = float(value)
    except (TypeError, ValueError):
        return text(value)
    return f"{age:g}" if math.isfinite(age) else ""


def identify(name: Any) -> tuple[str, str]:
    """The image id and the file that a name stands for.

    ``ISIC_1`` is the file ``ISIC_1.jpg``; ``photos/ISIC_1.png`` is the image ``ISIC_1``.

    Raises:
        ValueError: if the name is blank or no text.
    """
    if not isinstance(name, str) or not name.strip():
        raise ValueError(f"the image's name is {name!r}")
    name = name.strip()
    path = PurePosixPath(name)
    if path.suffix.lower() in IMAGE_SUFFIXES:
        return path.stem, name
    return path.name, f"{name}.jpg"
