"""Whether two pictures show the same, moved by a little: as a second photograph or a scan of the first does."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import binary_dilation, binary_propagation, gaussian_filter1d

SMOOTHING = 6.0  # px; what is wider, the light and the vignette, counts for nothing
SHIFT = 3  # px to each side
DARK = 0.3  # of the median brightness
EDGE = 2  # px
LEAST_SEEN = 0.3  # of a picture; a darker one is compared as it is
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


def shifted_correlation(first: NDArray[np.uint8], second: NDArray[np.uint8]) -> Pictures:
    """Pearson's correlation of each pair's details, at the best shift of the second picture.

    Black frames are alike whatever they show, and stronger than any lesion: what is in one of the two has no part.

    Args:
        first, second: (P, H, W), gray thumbnails.

    Returns: (P,), in [-1, 1].
    """
    seen = ~(black_frame(first) | black_frame(second))
    seen |= seen.mean(axis=(1, 2), keepdims=True) < LEAST_SEEN
    fixed = _standardised(details(first, seen)[:, SHIFT:-SHIFT, SHIFT:-SHIFT])
    moving = details(second, seen)
    best = np.full(len(first), -1, dtype=np.float32)
    for down in range(2 * SHIFT + 1):
        for right in range(2 * SHIFT + 1):
            moved = moving[:, down : down + fixed.shape[1], right : right + fixed.shape[2]]
            best = np.maximum(best, np.einsum("pij,pij->p", fixed, _standardised(moved)))
    return best


def details(thumbnails: NDArray[np.uint8], seen: NDArray[np.bool_], smoothing: float = SMOOTHING) -> Pictures:
    """What is left without what is wider than a lesion's structures, 0 where nothing is seen; (N, H, W).

    Args:
        thumbnails: (N, H, W).
        seen: (N, H, W), the pixels that count.
        smoothing: px.
    """
    weight = seen.astype(np.float32)
    gray = np.multiply(thumbnails, weight, dtype=np.float32)
    wide = _smoothed(gray, smoothing) / np.maximum(_smoothed(weight, smoothing), np.float32(1e-3))
    return np.subtract(gray, wide * weight, dtype=np.float32)


def black_frame(gray: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """What is dark from the border of the picture on, and its soft edge, (N, H, W)."""
    dark = gray < DARK * np.median(gray, axis=(1, 2), keepdims=True)
    border = np.zeros_like(dark)
    border[:, [0, -1]] = border[:, :, [0, -1]] = True
    neighbours = np.array([np.zeros((3, 3)), [[0, 1, 0], [1, 1, 1], [0, 1, 0]], np.zeros((3, 3))], dtype=bool)
    frame = binary_propagation(border & dark, structure=neighbours, mask=dark)
    return binary_dilation(frame, structure=neighbours, iterations=EDGE)


def _smoothed(pictures: Pictures, smoothing: float) -> Pictures:
    down = gaussian_filter1d(pictures, smoothing, axis=1, mode="nearest")
    return np.asarray(gaussian_filter1d(down, smoothing, axis=2, mode="nearest"), dtype=np.float32)


def _standardised(pictures: Pictures) -> Pictures:
    """Mean 0 and length 1; a flat picture becomes zeros."""
    centred = pictures - pictures.mean(axis=(1, 2), keepdims=True)
    length = np.sqrt((centred**2).sum(axis=(1, 2), keepdims=True))
    return centred / np.maximum(length, np.float32(1e-6))
