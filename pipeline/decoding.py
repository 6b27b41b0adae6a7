"""One image file, of whatever format and however damaged, to a square uint8 array."""

import hashlib
import warnings
from dataclasses import dataclass
from io import BytesIO
from os.path import isfile  # False for a name too long, where pathlib raises
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, UnidentifiedImageError

from pipeline.images import resize
from pipeline.perceptual_hash import perceptual_hash
from pipeline.private_fields import private_fields

# Tried whatever the file's name says. Others are left out on purpose: EPS would start an interpreter.
FORMATS = ("JPEG", "PNG", "TIFF", "BMP", "WEBP", "GIF", "JPEG2000", "PPM")

TURNS = {  # the turn that makes an image upright, by its EXIF orientation
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
THUMBNAIL = 48  # px, both sides
DRAFT_GAP = 2  # a JPEG is decoded at the smallest scale at least so many times as large as the result
SAME_SHAPE = 0.02  # relative difference of the aspects of an image and its mask that rounding may cause


@dataclass(frozen=True)
class Geometry:
    """How a decoded image becomes a packed one."""

    size: int  # px, both sides
    channels: Literal[1, 3]
    fit: Literal["crop", "squash"]


class Task(NamedTuple):
    """One file to decode."""

    path: Path
    masks: tuple[Path, ...]  # the names that its mask may have; the first that exists is taken
    geometry: Geometry


class Decoded(NamedTuple):
    """What a file holds; ``reason`` says why nothing, else ``pixels`` is there."""

    bytes: int = 0
    sha256: str = ""
    reason: str = ""
    pixels: NDArray[np.uint8] | None = None  # (H, W, C)
    phash: str = ""  # as from ``perceptual_hash``
    thumbnail: NDArray[np.uint8] | None = None  # (THUMBNAIL, THUMBNAIL), gray, the whole picture
    mask: NDArray[np.uint8] | None = None  # (H, W), 0 or 255; None: none that fits
    mask_reason: str = ""  # why a mask that is there is not taken
    private: tuple[str, ...] = ()  # as from ``private_fields``; none of it goes on


class Opened(NamedTuple):
    """An upright image, the turn that the orientation in its file asked for, and what it says of persons."""

    image: Image.Image
    turn: Image.Transpose | None
    private: tuple[str, ...]


def decode(task: Task) -> Decoded:
    """Reads, decodes and fits one file. Never fails: what is wrong with the file is the result's ``reason``."""
    if not isfile(task.path):
        return Decoded(reason="missing")
    content = _read(task.path)
    if isinstance(content, str):
        return Decoded(reason=content)
    read = Decoded(bytes=len(content), sha256=hashlib.sha256(content).hexdigest())
    opened = _opened(content, task.geometry, draft=True)
    if isinstance(opened, str):
        return read._replace(reason=opened)
    image = opened.image
    read = read._replace(
        pixels=_packed(image, task.geometry),
        phash=perceptual_hash(image),
        thumbnail=_thumbnail(image),
        private=opened.private,
    )
    mask_file = next((path for path in task.masks if isfile(path)), None)
    if mask_file is None:
        return read
    mask = _mask_of(opened, mask_file, task.geometry)
    return read._replace(mask_reason=mask) if isinstance(mask, str) else read._replace(mask=mask)


def _read(path: Path) -> bytes | str:
    """The file's content, or why there is none."""
    try:
        return path.read_bytes()
    except OSError as error:  # a file we may not read
        return f"unreadable: {error.strerror}"


def _opened(content: bytes, geometry: Geometry, *, draft: bool) -> Opened | str:
    """The upright RGB or L image, or why there is none."""
    if not content:
        return "empty"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about metadata that we do not use
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            image = Image.open(BytesIO(content), formats=FORMATS)
            if draft:
                side = DRAFT_GAP * max(geometry.size, THUMBNAIL)
                image.draft(None, (side, side))  # changes nothing but a JPEG
            image.load()  # before its orientation is read: Pillow makes a TIFF upright by itself
            turn = TURNS.get(image.getexif().get(ExifTags.Base.Orientation, 1))
            converted = _converted(image, "L" if geometry.channels == 1 else "RGB")
            upright = converted if turn is None else converted.transpose(turn)
            return Opened(upright, turn, private_fields(image))
    except UnidentifiedImageError:
        return "not an image"
    except (Image.DecompressionBombWarning, Image.DecompressionBombError):
        return f"too large: more than {Image.MAX_IMAGE_PIXELS} pixels"
    except Exception as error:  # decoders meet damage with nearly every type of exception
        return f"broken: {' '.join(str(error).split())}"


def _mask_of(image: Opened, path: Path, geometry: Geometry) -> NDArray[np.uint8] | str:
    """The packed mask, whether it was drawn on the upright image or on the stored one, or why there is none."""
    content = _read(path)
    opened = content if isinstance(content, str) else _opened(content, geometry, draft=False)
    if isinstance(opened, str):
        return opened
    mask = opened.image
    if not _same_shape(mask, image.image) and image.turn is not None:
        mask = mask.transpose(image.turn)
    if not _same_shape(mask, image.image):
        return f"of another shape: {mask.width}x{mask.height} for {image.image.width}x{image.image.height}"
    return _packed_mask(mask, geometry)


def _same_shape(one: Image.Image, other: Image.Image) -> bool:
    return abs(one.width * other.height / (one.height * other.width) - 1) < SAME_SHAPE


def _converted(image: Image.Image, mode: str) -> Image.Image:
    """Eight bits in ``mode``; 16-bit gray is scaled, what is transparent lies on black, as in a dermoscope's frame."""
    if image.mode.startswith("I"):
        gray = np.clip(np.asarray(image, dtype=np.int64), 0, 65535)
        image = Image.fromarray(((gray + 128) // 257).astype(np.uint8))
    if image.mode == "F":
        raise ValueError("floating-point pixels have no known range")
    if image.has_transparency_data:
        rgba = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", rgba.size, "black"), rgba).convert("RGB")
    return image if image.mode == mode else image.convert(mode)


def _packed(image: Image.Image, geometry: Geometry) -> NDArray[np.uint8]:
    """The image's pixels, (size, size, C)."""
    pixels = np.asarray(_fitted(image, geometry))
    return pixels.reshape(geometry.size, geometry.size, geometry.channels)


def _thumbnail(image: Image.Image) -> NDArray[np.uint8]:
    return np.asarray(resize(image.convert("L"), THUMBNAIL, THUMBNAIL))


def _packed_mask(image: Image.Image, geometry: Geometry) -> NDArray[np.uint8]:
    """Lesion 255, else 0: (size, size). Lesion is what exceeds half of the mask's maximum, as some masks are 0/1."""
    gray = np.asarray(image.convert("L"))
    lesion = Image.fromarray(np.where(gray > gray.max() / 2, 255, 0).astype(np.uint8))
    return np.where(np.asarray(_fitted(lesion, geometry)) >= 128, 255, 0).astype(np.uint8)


def _fitted(image: Image.Image, geometry: Geometry) -> Image.Image:
    if geometry.fit == "crop":
        side = min(image.size)
        left, top = (image.width - side) // 2, (image.height - side) // 2
        image = image.crop((left, top, left + side, top + side))
    return resize(image, geometry.size, geometry.size)
