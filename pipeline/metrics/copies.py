"""How near synthetic images come to training images."""

import numpy as np
from numpy.typing import NDArray

COPY_SIZE = 16  # px at which copies are looked for: their content, not their noise
SYMMETRIES = 8  # of the square: four rotations, each with and without a flip


def nearest_distance(
    images: NDArray[np.uint8], references: NDArray[np.uint8], chunk: int = 256
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Distance of each image to the nearest reference in any of its eight orientations.

    Args:
        images: (N, H, W, C) in [0, 255], small and of the references' size.
        references: (M, H, W, C).

    Returns: root mean square differences (N,) of pixels in [0, 1], and which reference is the nearest (N,).
    """
    known = _flat(references)  # (M, D)
    squares = (known**2).sum(axis=1)
    best = np.full(len(images), np.inf)
    nearest = np.zeros(len(images), dtype=np.int64)
    for symmetry in range(SYMMETRIES):
        turned = _flat(_orientation(images, symmetry))
        for start in range(0, len(turned), chunk):
            part = slice(start, start + chunk)
            distances = (turned[part] ** 2).sum(axis=1)[:, None] + squares - 2 * turned[part] @ known.T
            candidate = distances.argmin(axis=1)
            distance = distances[np.arange(len(candidate)), candidate]
            closer = distance < best[part]
            best[part] = np.where(closer, distance, best[part])
            nearest[part] = np.where(closer, candidate, nearest[part])
    return np.sqrt(np.maximum(best, 0) / known.shape[1]), nearest


def _flat(images: NDArray[np.uint8]) -> NDArray[np.float64]:
    return images.reshape(len(images), -1).astype(np.float64) / 255


def _orientation(images: NDArray[np.uint8], symmetry: int) -> NDArray[np.uint8]:
    turned = np.rot90(images, symmetry % 4, axes=(1, 2))
    return turned[:, :, ::-1] if symmetry >= 4 else turned
