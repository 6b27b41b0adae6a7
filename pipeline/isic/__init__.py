"""The dataset's vocabulary: readers of every metadata format, and labels.

A format is one file with a ``FORMAT`` and one line in ``FORMATS``. It is recognised by its required fields: the
columns of a CSV's header, or the keys of a JSON record.
"""

from collections.abc import Iterable

from pipeline.isic import aidl21, archive_v1
from pipeline.isic.row import Format

FORMATS: dict[str, Format] = {
    "aidl21": aidl21.FORMAT,
    "archive_v1": archive_v1.FORMAT,
}


def recognise(fields: Iterable[str]) -> str | None:
    """The name of the format that has these fields, or None."""
    found = frozenset(fields)
    return next((name for name, known in FORMATS.items() if known.required <= found), None)
