"""The report's photographs, each returned as a data URI, always the same bytes."""

import base64
import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pipeline.images import at_size
from pipeline.registration import TURNS

PAIR_GAP = 4  # px of white between two images


def data_uri(kind: str, content: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"


def mosaic(images: NDArray[np.uint8], columns: int, size: int) -> str:
    """Images side by side, row by row, as PNG.

    Args:
        images: (N, H, W, C) in [0, 255]; those beyond the last full row are left out.
        size: px of one image.
    """
    rows = max(1, len(images) // columns)
    columns = min(columns, len(images))
    tiles = at_size(images[: rows * columns], size)
    padded = np.pad(tiles, ((0, 0), (1, 1), (1, 1), (0, 0)), constant_values=255)
    side, channels = size + 2, tiles.shape[3]
    grid = padded.reshape(rows, columns, side, side, channels).swapaxes(1, 2)
    picture = grid.reshape(rows * side, columns * side, channels).squeeze()
    return _encoded(Image.fromarray(picture), "PNG")


def thumbnail(picture: Image.Image, size: int) -> str:
    """A picture with its longer side at most ``size`` px, as JPEG: looked at, never measured."""
    picture = picture.convert("RGB")
    picture.thumbnail((size, size), Image.Resampling.BICUBIC)
    return _encoded(picture, "JPEG")


def pair_picture(first: NDArray[np.uint8], second: NDArray[np.uint8], turn: str, size: int) -> str:
    """Two images side by side, the second after its turn, so that it lies as the first does; as JPEG.

    Args:
        first, second: (H, W, C) in [0, 255], square, perhaps of different sizes.
        turn: by its name in ``registration.TURNS``.
        size: px of one image.
    """
    left, right = at_size(first[None], size)[0], at_size(TURNS[turn](second[None]), size)[0]
    gap = np.full((size, PAIR_GAP, left.shape[2]), 255, dtype=np.uint8)
    return _encoded(Image.fromarray(np.concatenate([left, gap, right], axis=1).squeeze()), "JPEG")


def _encoded(picture: Image.Image, kind: str) -> str:
    buffer = io.BytesIO()
    picture.save(buffer, format=kind, quality=88, optimize=True)
    return data_uri(f"image/{kind.lower()}", buffer.getvalue())
