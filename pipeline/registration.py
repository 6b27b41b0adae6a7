"""Whether two pictures show the same, moved by a little: as a second photograph or a scan of the first does."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

SMOOTHING = 6.0  # px; what is wider, the light and the vignette, counts for nothing
SHIFT = 3  # px to each side
Pictures = NDArray[np.float32]  # (N, H, W)

TURNS: dict[str, Callable[[NDArray[Any]], NDArray[Any]]] = {  # of pictures (N, H, W, ...), as ``perceptual_hash`` says
    "identity": lambda pictures: pictures,
    "mirror": lambda pictures: pictures[:, :, ::-1],
    "flip": lambda pictures: pictures[:, ::-1],
    "rotate180": lambda pictures: pictures[:, ::-1, ::-1],
    "transpose": lambda pictures: pictures.swapaxes(1, 2),
    "rotate90": lambda pictures: pictures.swapaxes(1, 2)[:, ::-1],
    "rotate270": lambda pictures: pictures.swapaxes(1, 2)[:, :, ::-1],
    "transverse": lambda pictures: pictures.swapaxes(1, 2)[:, ::-1, ::-1],
}


def details(thumbnails: NDArray[np.uint8]) -> Pictures:
    """Thumbnails without what is wider than a lesion's structures.

    Args:
        thumbnails: (N, H, W).
    """
    gray = thumbnails.astype(np.float32)
    wide = gaussian_filter1d(gaussian_filter1d(gray, SMOOTHING, axis=1, mode="nearest"), SMOOTHING, 2, mode="nearest")
    return gray - wide


def shifted_correlation(first: Pictures, second: Pictures) -> NDArray[np.float32]:
    """Pearson's correlation of each pair's pixels, at the best shift of the second picture.

    Args:
        first, second: (P, H, W), as from ``details``.

    Returns: (P,), in [-1, 1].
    """
    fixed = _standardised(first[:, SHIFT:-SHIFT, SHIFT:-SHIFT])
    best = np.full(len(first), -1, dtype=np.float32)
    for down in range(2 * SHIFT + 1):
        for right in range(2 * SHIFT + 1):
            moved = second[:, down : down + fixed.shape[1], right : right + fixed.shape[2]]
            best = np.maximum(best, np.einsum("pij,pij->p", fixed, _standardised(moved)))
    return best


def _standardised(pictures: Pictures) -> Pictures:
    """Mean 0 and length 1; a flat picture becomes zeros."""
    centred = pictures - pictures.mean(axis=(1, 2), keepdims=True)
    length = np.sqrt((centred**2).sum(axis=(1, 2), keepdims=True))
    return centred / np.maximum(length, np.float32(1e-6))
