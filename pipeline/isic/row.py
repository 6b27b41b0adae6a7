"""One image's metadata, whatever the format it came in, and the few conversions that every format needs."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from posixpath import splitext
from sys import intern
from typing import Any, NamedTuple

IMAGE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".tif", ".tiff", ".bmp", ".webp"})

Record = Mapping[str, Any]  # a JSON object, or a CSV's line by its header


class Row(NamedTuple):
    """A row of data/metadata.csv before its label and split are translated; empty where the record does not say."""

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
    official_split: str = ""  # in the record's own words
    origin: str = ""  # file and line or number of the record


@dataclass(frozen=True)
class Format:
    """A metadata format: the fields by which it is recognised, and how one of its records becomes a row."""

    required: frozenset[str]
    row: Callable[[Record], Row]
    beside: frozenset[str] = frozenset()  # the columns of a table without labels that is published with it
    key: str = ""  # the image's column, by which that table is joined
    leaks: tuple[str, ...] = ()  # how columns begin that tell the label, are in training tables only, and are not read
    split_in_name: bool = False  # its files are named after their split; the record has it as official_split


def text(value: Any) -> str:
    """One printable line; empty for null.

    Raises:
        ValueError: for a list or a mapping.
    """
    if value is None:
        return ""
    if isinstance(value, (list, dict)):
        raise ValueError(f"expected text or a number, got {value!r:.40}")
    line = str(value).strip()
    if not line.isprintable():
        line = " ".join("".join(letter if letter.isprintable() else " " for letter in line).split())
    return intern(line)  # most values recur: 500,000 records take half the memory


def years(value: Any) -> str:
    """An age without a needless ``.0``; empty for null, for not-a-number and for infinity."""
    try:
        age = float(value)
    except (TypeError, ValueError):
        return text(value)
    except OverflowError:  # an integer of more than 308 digits
        return ""
    return f"{age:g}" if math.isfinite(age) else ""


def flag(value: Any) -> bool:
    """A 0 or a 1, however it is written.

    Raises:
        ValueError: for anything else.
    """
    if text(value) in ("1", "1.0"):
        return True
    if text(value) in ("0", "0.0"):
        return False
    raise ValueError(f"expected 0 or 1, got {value!r:.40}")


def identify(name: Any) -> tuple[str, str]:
    """The image id and the file that a name stands for.

    ``ISIC_1`` is the file ``ISIC_1.jpg``; ``photos/ISIC_1.png`` is the image ``ISIC_1``.

    Raises:
        ValueError: if the name is blank or no text.
    """
    if not isinstance(name, str) or not name.strip():
        raise ValueError(f"the image's name is {name!r:.40}")
    path = name.strip()
    stem, suffix = splitext(path)
    if suffix.lower() not in IMAGE_SUFFIXES:
        stem, path = path, f"{path}.jpg"
    return stem.rpartition("/")[2], path


def section(record: Record, key: str) -> Record:
    """The mapping under a key; an empty one where there is none.

    Raises:
        ValueError: if it is something else.
    """
    found = record.get(key) or {}
    if not isinstance(found, Mapping):
        raise ValueError(f"{key} is {found!r:.40} and not a mapping")
    return found
