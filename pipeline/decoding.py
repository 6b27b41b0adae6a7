"""One image file, of whatever format and however damaged, to a square uint8 array."""

import hashlib
import warnings
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from pipeline.images import resize

# Tried whatever the file's name says. Others are left out on purpose: EPS would start an interpreter.
FORMATS = ("JPEG", "PNG", "TIFF", "BMP", "WEBP", "GIF", "JPEG2000", "PPM")


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
    dhash: str = ""  # 16 hexadecimal digits
    mask: NDArray[np.uint8] | None = None  # (H, W), 0 or 255; None: no file
    mask_reason: str = ""


def decode(task: Task) -> Decoded:
    """Reads, decodes and fits one file. Never fails: what is wrong with the file is the result's ``reason``."""
    try:
        if not task.path.is_file():
            return Decoded(reason="missing")
        content = task.path.read_bytes()
    except OSError as error:  # a name too long, a file we may not read
        return Decoded(reason=f"unreadable: {error.strerror}")
    read = Decoded(bytes=len(content), sha256=hashlib.sha256(content).hexdigest())
    opened = _opened(content, task.geometry)
    if isinstance(opened, str):
        return read._replace(reason=opened)
    read = read._replace(pixels=_packed(opened, task.geometry), dhash=difference_hash(opened))
    mask_file = next((path for path in task.masks if path.is_file()), None)
    if mask_file is None:
        return read
    mask = _opened(mask_file.read_bytes(), task.geometry, draft=False)
    if isinstance(mask, str):
        return read._replace(mask_reason=mask)
    return read._replace(mask=_packed_mask(mask, task.geometry))


def _opened(content: bytes, geometry: Geometry, draft: bool = True) -> Image.Image | str:
    """The upright RGB or L image, or why there is none."""
    if not content:
        return "empty"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about metadata that we do not use
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            image = Image.open(BytesIO(content), formats=FORMATS)
            if draft:
                image.draft(None, (geometry.size, geometry.size))  # JPEG: the nearest 1/8..1 scale not below it
            return _converted(ImageOps.exif_transpose(image), "L" if geometry.channels == 1 else "RGB")
    except UnidentifiedImageError:
        return "not an image"
    except (Image.DecompressionBombWarning, Image.DecompressionBombError):
        return f"too large: more than {Image.MAX_IMAGE_PIXELS} pixels"
    except Exception as error:  # decoders meet damage with nearly every type of exception
        return f"broken: {' '.join(str(error).split())}"


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


def difference_hash(image: Image.Image) -> str:
    """64 bits, row by row: is a pixel of the 9x8 gray image darker than its right neighbour?

    Alike for re-encoded and rescaled copies: a few bits differ.
    """
    gray = np.asarray(resize(image.convert("L"), 9, 8))
    return np.packbits(gray[:, :-1] < gray[:, 1:]).tobytes().hex()
