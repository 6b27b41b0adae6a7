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
FREQUENCIES = 16  # of each axis
BATCH = 1024  # thumbnails transformed at once
FLAT = 0.1  # gray values, the length of what shows nothing, and is like nothing
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


def shifted_correlation(first: NDArray[np.uint8], second: NDArray[np.uint8], smoothing: float = SMOOTHING) -> Pictures:
    """Pearson's correlation of each pair's details, at the best shift of the second picture.

    Black frames are alike whatever they show, and stronger than any lesion: what is in one of the two has no part.

    Args:
        first, second: (P, H, W), gray thumbnails.
        smoothing: px, as ``details`` has it.

    Returns: (P,), in [-1, 1].
    """
    seen = ~(black_frame(first) | black_frame(second))
    seen |= seen.mean(axis=(1, 2), keepdims=True) < LEAST_SEEN
    fixed = standardised(details(first, seen, smoothing)[:, SHIFT:-SHIFT, SHIFT:-SHIFT])
    moving = details(second, seen, smoothing)
    side = fixed.shape[1]
    length = np.sqrt(np.maximum(_window_sums(moving**2, side) - _window_sums(moving, side) ** 2 / side**2, 0))
    best = np.full(len(first), -1, dtype=np.float32)
    for down in range(2 * SHIFT + 1):
        for right in range(2 * SHIFT + 1):
            moved = moving[:, down : down + side, right : right + side]
            product = np.einsum("pij,pij->p", fixed, moved)  # that of the centred ones, as one of them is
            norm = length[:, down, right]
            best = np.maximum(best, np.where(norm > FLAT, product / np.maximum(norm, np.float32(FLAT)), 0))
    return best


def detail_spectra(thumbnails: NDArray[np.uint8]) -> Pictures:
    """The low frequencies of each thumbnail's details, of length 1; (N, FREQUENCIES, FREQUENCIES).

    The sum of the products of two is nearly the correlation of their pictures, if these have not moved.
    """
    side = thumbnails.shape[1]
    cosines = np.cos(np.pi / side * np.outer(np.arange(FREQUENCIES), np.arange(side) + 0.5)).astype(np.float32)
    spectra = np.empty((len(thumbnails), FREQUENCIES, FREQUENCIES), dtype=np.float32)
    for start in range(0, len(thumbnails), BATCH):
        gray = thumbnails[start : start + BATCH]
        seen = ~black_frame(gray)
        seen |= seen.mean(axis=(1, 2), keepdims=True) < LEAST_SEEN
        spectra[start : start + BATCH] = cosines @ details(gray, seen) @ cosines.T
    return spectra / np.maximum(np.linalg.norm(spectra, axis=(1, 2), keepdims=True), np.float32(FLAT))


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
    border = np.ones(gray.shape[1:], dtype=bool)
    border[1:-1, 1:-1] = False
    framed = np.flatnonzero((dark & border).any(axis=(1, 2)))  # most are not, and growing frames takes longest
    neighbours = np.array([np.zeros((3, 3)), [[0, 1, 0], [1, 1, 1], [0, 1, 0]], np.zeros((3, 3))], dtype=bool)
    frame = binary_propagation(border & dark[framed], structure=neighbours, mask=dark[framed])
    found = np.zeros_like(dark)
    found[framed] = binary_dilation(frame, structure=neighbours, iterations=EDGE)
    return found


def _smoothed(pictures: Pictures, smoothing: float) -> Pictures:
    """By products with two matrices, which of thumbnails takes a tenth of the time of a filter of so many taps."""
    down, right = (
        gaussian_filter1d(np.eye(size, dtype=np.float32), smoothing, axis=0, mode="nearest")
        for size in pictures.shape[1:]
    )
    return np.asarray(down @ pictures @ right.T)


def _window_sums(pictures: Pictures, side: int) -> Pictures:
    """The sums within every square of ``side``, (N, H - side + 1, W - side + 1)."""
    down, right = (
        np.array([(start <= np.arange(size)) & (np.arange(size) < start + side) for start in range(size - side + 1)])
        for size in pictures.shape[1:]
    )
    return np.asarray(down.astype(np.float32) @ pictures @ right.astype(np.float32).T)


def standardised(pictures: Pictures) -> Pictures:
    """Mean 0 and length 1; a flat picture, (N, H, W) as all are, becomes zeros, whatever rounding left in it."""
    centred = pictures - pictures.mean(axis=(1, 2), keepdims=True)
    length = np.sqrt((centred**2).sum(axis=(1, 2), keepdims=True))
    return np.where(length > FLAT, centred / np.maximum(length, np.float32(FLAT)), np.float32(0))
