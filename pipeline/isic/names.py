"""Whether what a record names is harmless: no file outside the images, no id that is a path, no hash that is none."""

import re

from pipeline.errors import InputError
from pipeline.isic.row import Row

SHA256 = re.compile(r"[0-9a-f]{64}")


def checked(row: Row, origin: str) -> Row:
    """The row, its hash in lower case, if its names are harmless.

    Raises:
        InputError: if its file may lie outside the images' folder, its id is no file name, or its hash is none.
    """
    if not is_inside(row.file):
        raise InputError(
            f"{origin} names the file {row.file!r:.200}, which may lie outside its images; "
            "a name must be relative, without .. or backslash or control characters"
        )
    if not is_plain(row.image_id):
        raise InputError(
            f"{origin} has the image id {row.image_id!r:.200}; an id must be a plain file name without folders"
        )
    digest = row.sha256.lower()
    if digest and not SHA256.fullmatch(digest):
        raise InputError(f"{origin} has the sha256 {row.sha256!r:.200}; it must be 64 hexadecimal digits or empty")
    return row._replace(sha256=digest) if digest != row.sha256 else row


def is_inside(file: str) -> bool:
    """Whether a file cannot lie outside the folder that it is relative to, on any operating system."""
    parts = file.split("/")
    return (
        file.isprintable()
        and "\\" not in file
        and ".." not in parts
        and parts[0] != ""
        and parts[-1] not in ("", ".")
        and ":" not in parts[0]  # a Windows drive
    )


def is_plain(image_id: str) -> bool:
    """Whether an id can be part of a file name."""
    return image_id not in ("", ".", "..") and image_id.isprintable() and "/" not in image_id and "\\" not in image_id
