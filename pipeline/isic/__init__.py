"""The dataset's vocabulary: readers of every metadata format, and labels.

A format is one file with a ``FORMAT`` and one line in ``FORMATS``. It is recognised by its required fields: the
columns of a table, or the keys of a JSON record.

What a source's ``metadata`` may be:

- a file of JSON records, of any of the archive's versions: one, an array of them, a page as the archive's API gives it,
  or a record a line (``.jsonl``); or a folder of such files, with or without a suffix;
- one table, a CSV with commas or semicolons or a parquet file, of a known format or of any through its ``columns``;
  that file alone is read;
- a folder of tables of one format, read as one. A table that is published beside a ground truth (ages, lesions) is
  joined to it by the image's id when it lies in that folder, under whatever name; and where the format's files are
  named after their split, as ``ISIC-2017_Training_Part3_GroundTruth.csv``, that is the images' official split.
"""

from collections.abc import Iterable

from pipeline.isic import aidl21, archive_v1, archive_v2, ham10000, isic2017, isic2024, one_hot, siim2020
from pipeline.isic.row import Format

FORMATS: dict[str, Format] = {
    "aidl21": aidl21.FORMAT,
    "archive_v1": archive_v1.FORMAT,
    "archive_v2": archive_v2.FORMAT,
    "isic2024": isic2024.FORMAT,  # before the archive's own table, whose columns it has too
    "archive_v2_csv": archive_v2.FLAT_FORMAT,
    "ham10000": ham10000.FORMAT,
    "isic2017": isic2017.FORMAT,
    "isic2018": one_hot.FORMAT_2018,
    "isic2019": one_hot.FORMAT_2019,
    "siim2020": siim2020.FORMAT,
}


def recognise(fields: Iterable[str]) -> str | None:
    """The name of the format that has these fields, or None."""
    found = frozenset(fields)
    return next((name for name, known in FORMATS.items() if known.required <= found), None)


def known_formats() -> str:
    """Every format with the fields by which it is recognised, for a message."""
    return "; ".join(f"{name} ({', '.join(sorted(known.required))})" for name, known in FORMATS.items())
