"""The image file of a record, and what its fault does to the picture or to the file."""

import io
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pipeline.dermoscopy.cohort import Record
from pipeline.dermoscopy.faults import Flaw

JPEG_QUALITY = 92
RECOMPRESSED_QUALITY = 60
PNG_MODES = ("RGBA", "16-bit gray")  # which JPEG does not have
ORIENTATION_TAG = 0x0112
PAGE = b"<!DOCTYPE html>\n<html><body><h1>404 Not Found</h1></body></html>\n"

Transpose = Image.Transpose
TURNS = {
    "flipped left to right": Transpose.FLIP_LEFT_RIGHT,
    "flipped top to bottom": Transpose.FLIP_TOP_BOTTOM,
    "rotated by 90": Transpose.ROTATE_90,
    "rotated by 180": Transpose.ROTATE_180,
    "rotated by 270": Transpose.ROTATE_270,
}
ASPECTS = {"squashed to 1:1": 1.0, "squashed to 3:2": 3 / 2, "squashed to 16:9": 16 / 9}
# From the upright picture to the one stored under each value of the EXIF orientation
STORED_AS = {
    "2": Transpose.FLIP_LEFT_RIGHT,
    "3": Transpose.ROTATE_180,
    "4": Transpose.FLIP_TOP_BOTTOM,
    "5": Transpose.TRANSPOSE,
    "6": Transpose.ROTATE_90,
    "7": Transpose.TRANSVERSE,
    "8": Transpose.ROTATE_270,
}


def file_name(record: Record) -> str:
    return f"{record.name}.png" if record.flaw.variant in PNG_MODES else f"{record.name}.jpg"


def finished_picture(image: NDArray[np.uint8], mask: NDArray[np.uint8], flaw: Flaw) -> tuple[Image.Image, Image.Image]:
    """The picture that the record shows and its mask, upright: near duplicates are made from the original's file."""
    picture, outline = Image.fromarray(image), Image.fromarray(mask)
    if flaw.fault != "near_duplicate":
        return picture, outline
    original = Image.open(io.BytesIO(_jpeg(picture)))
    return altered(original, flaw.variant, Image.Resampling.BICUBIC), altered(
        outline, flaw.variant, Image.Resampling.NEAREST
    )


def altered(image: Image.Image, variant: str, resampling: Image.Resampling) -> Image.Image:
    """A picture or a mask as a variant of ``near_duplicate`` has it."""
    if variant in TURNS:
        return image.transpose(TURNS[variant])
    if variant == "halved":
        return image.resize((round(image.width / 2), round(image.height / 2)), resampling)
    if variant in ASPECTS:
        return image.resize((round(image.height * ASPECTS[variant]), image.height), resampling)
    return image.copy()


def file_content(picture: Image.Image, flaw: Flaw) -> bytes:
    """The bytes of the file that holds an upright picture."""
    return WRITERS.get(flaw.fault, lambda picture, _: _jpeg(picture))(picture, flaw.variant)


def _near_duplicate(picture: Image.Image, variant: str) -> bytes:
    return _saved(picture, "JPEG", quality=RECOMPRESSED_QUALITY if variant == "recompressed" else JPEG_QUALITY)


def _unreadable(picture: Image.Image, variant: str) -> bytes:
    content = _jpeg(picture)
    return {"truncated": content[: len(content) // 3], "empty": b"", "web page": PAGE}[variant]


def _other_format(picture: Image.Image, variant: str) -> bytes:
    return _saved(picture, variant)


def _colour_mode(picture: Image.Image, variant: str) -> bytes:
    if variant == "16-bit gray":
        return _saved(Image.fromarray(np.asarray(picture.convert("L")).astype(np.uint16) * 257), "PNG")
    if variant == "RGBA":
        return _saved(picture.convert("RGBA"), "PNG")
    return _jpeg(picture.convert("L" if variant == "gray" else "CMYK"))


def _exif_orientation(picture: Image.Image, variant: str) -> bytes:
    exif = Image.Exif()
    exif[ORIENTATION_TAG] = int(variant)
    return _saved(picture.transpose(STORED_AS[variant]), "JPEG", quality=JPEG_QUALITY, exif=exif)


WRITERS: dict[str, Callable[[Image.Image, str], bytes]] = {
    "near_duplicate": _near_duplicate,
    "unreadable": _unreadable,
    "other_format": _other_format,
    "colour_mode": _colour_mode,
    "exif_orientation": _exif_orientation,
}


def _jpeg(picture: Image.Image) -> bytes:
    return _saved(picture, "JPEG", quality=JPEG_QUALITY)


def _saved(picture: Image.Image, file_format: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, file_format, **options)
    return buffer.getvalue()
