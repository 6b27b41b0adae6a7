"""Ways in which images go wrong, weaker and stronger: a feature space that measures quality must see each of them.

Every function takes images (N, H, W, C) in [0, 255] and returns as many, or, for dropped modes, fewer.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

Images = NDArray[np.uint8]
Damage = Callable[[Images, float, np.random.Generator], Images]


def _uint8(images: NDArray[np.float32]) -> Images:
    return images.round().clip(0, 255).astype(np.uint8)


def blur(images: Images, sigma: float, rng: np.random.Generator) -> Images:
    """Gaussian, standard deviation in px."""
    return _uint8(gaussian_filter(images.astype(np.float32), (0, sigma, sigma, 0)))


def noise(images: Images, deviation: float, rng: np.random.Generator) -> Images:
    """Independent Gaussian noise, standard deviation as a share of the range."""
    return _uint8(images + 255 * deviation * rng.standard_normal(images.shape, dtype=np.float32))


def colour(images: Images, strength: float, rng: np.random.Generator) -> Images:
    """A cast: the first channel times 1 + strength, the last times 1 - strength; one channel becomes brighter."""
    channels = images.shape[3]
    gain = np.linspace(1 + strength, 1 - strength, channels) if channels > 1 else np.array([1 + strength])
    return _uint8(images.astype(np.float32) * gain.astype(np.float32))


def grid(images: Images, amplitude: float, rng: np.random.Generator) -> Images:
    """A chequerboard of single pixels, as transposed convolutions leave it; amplitude as a share of the range."""
    height, width = images.shape[1:3]
    board = np.indices((height, width)).sum(axis=0) % 2 * 2 - 1
    return _uint8(images + 255 * amplitude * board[None, :, :, None])


def dropped_modes(images: Images, share: float, rng: np.random.Generator) -> Images:
    """Without this share of the images, at one end of the direction in which the set varies most."""
    coarse = images[:, :: max(1, images.shape[1] // 8), :: max(1, images.shape[2] // 8)].reshape(len(images), -1)
    centred = coarse - coarse.mean(axis=0)
    direction = np.linalg.svd(centred, full_matrices=False)[2][0]
    kept = np.argsort(centred @ direction, kind="stable")[: round(len(images) * (1 - share))]
    return images[np.sort(kept)]


DAMAGES: dict[str, tuple[Damage, tuple[float, ...]]] = {  # with strengths from hardly visible to plain
    "blur": (blur, (0.5, 1.0, 2.0)),
    "noise": (noise, (0.02, 0.05, 0.1)),
    "colour": (colour, (0.02, 0.05, 0.1)),
    "grid": (grid, (0.01, 0.02, 0.04)),
    "dropped_modes": (dropped_modes, (0.25, 0.5, 0.75)),
}
