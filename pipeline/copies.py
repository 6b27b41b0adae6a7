"""Copies of training images, whatever was done to them: turned, cropped a little, blurred, recoloured, encoded again.

Two dark spots on light skin correlate well whoever they belong to, the smoother the better, so a correlation alone does
not tell a copy. A copy correlates with one training image as with no other: that is what is asked (the ratio test of
Lowe 2004, section 7.1).
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pipeline.images import at_size
from pipeline.registration import LEAST_SEEN, TURNS, black_frame, details, standardised

FINE, COARSE = 32, 16  # px at which crops are taken, and at which images are compared
SMOOTHING = 3.0  # px of COARSE; what is wider, the light and the vignette, counts for nothing
CROPS = (0.03, 0.06, 0.09)  # of a side, that a copy may have lost
RANK = 5  # the reference that the nearest is compared with: copies of copies among the references come before it
CHUNK = 128  # images compared at once
LUMA = np.array([0.299, 0.587, 0.114])
Descriptors = NDArray[np.float32]  # (N, D), of mean 0 and length 1


class References:
    """Images that others may be copies of.

    Args:
        images: (M, H, W, C) in [0, 255].
    """

    def __init__(self, images: NDArray[np.uint8]) -> None:
        fine = _gray(at_size(images, FINE))
        self._crops = [_descriptors(_details(_cropped(fine, *crop))) for crop in _crops()]

    def likeness(self, images: NDArray[np.uint8]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """How much better each image fits one reference than the others.

        Args:
            images: (N, H, W, C) in [0, 255].

        Returns: 1 - (1 - r) / (1 - r'), (N,), with the correlation r to the best reference, over its crops and the
            image's eight turns, and r' to the RANK-th after it: near 1 for a copy, 0 for an image like many; and which
            reference is the best, (N,).
        """
        found = [self._compared(_details(_cropped(_gray(at_size(part, FINE))))) for part in _parts(images)]
        return np.concatenate([score for score, _ in found]), np.concatenate([nearest for _, nearest in found])

    def _compared(self, pictures: NDArray[np.float32]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        best = np.full((len(pictures), len(self._crops[0])), -1, dtype=np.float32)
        for turn in TURNS.values():
            turned = _descriptors(turn(pictures))
            for crop in self._crops:
                np.maximum(best, turned @ crop.T, out=best)
        nearest = best.argmax(axis=1)
        rank = min(RANK, best.shape[1] - 1)
        later = -np.partition(-best, rank, axis=1)[:, rank] if rank else np.zeros(len(best))
        first = best[np.arange(len(best)), nearest]
        return 1 - (1 - first.astype(np.float64)) / np.maximum(1 - later, 1e-3), nearest


def _parts(images: NDArray[np.uint8]) -> Iterator[NDArray[np.uint8]]:
    return (images[start : start + CHUNK] for start in range(0, len(images), CHUNK))


def _crops() -> Iterator[tuple[float, float, float]]:
    """Top, left and size, of a side: the whole, and nine places of every smaller one."""
    yield 0, 0, 1
    for lost in CROPS:
        for down in (0, 0.5, 1):
            for right in (0, 0.5, 1):
                yield lost * down, lost * right, 1 - lost


def _gray(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """(N, H, W, C) to (N, H, W)."""
    gray = images[..., 0] if images.shape[3] == 1 else images @ LUMA
    return np.asarray(gray, dtype=np.float32)


def _cropped(gray: NDArray[np.float32], top: float = 0, left: float = 0, size: float = 1) -> NDArray[np.float32]:
    """A square part of (N, FINE, FINE) at COARSE. Resizing is linear: two small matrices do it for all images."""
    down, right = _resizing(top, size), _resizing(left, size)
    return np.asarray(np.einsum("ai,nij,bj->nab", down, gray, right, optimize=True), dtype=np.float32)


def _resizing(start: float, size: float) -> NDArray[np.float32]:
    """(COARSE, FINE)."""
    box = (0, start * FINE, FINE, (start + size) * FINE)
    unit = Image.fromarray(np.eye(FINE, dtype=np.float32))
    return np.asarray(unit.resize((FINE, COARSE), Image.Resampling.BICUBIC, box=box))


def _details(gray: NDArray[np.float32]) -> NDArray[np.float32]:
    thumbnails = gray.round().clip(0, 255).astype(np.uint8)
    seen = ~black_frame(thumbnails)
    seen |= seen.mean(axis=(1, 2), keepdims=True) < LEAST_SEEN
    return details(thumbnails, seen, SMOOTHING)


def _descriptors(pictures: NDArray[np.float32]) -> Descriptors:
    return standardised(pictures).reshape(len(pictures), -1)
