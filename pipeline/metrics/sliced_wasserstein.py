"""A distance between two sets of images in no learned space: small patches of them, at every scale."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import correlate1d

from pipeline.errors import InputError

Images = NDArray[np.uint8]  # (N, H, W, C)
Array = NDArray[np.float32]
COARSEST = 16  # px of the last level's shorter side, at least
PATCH = 7  # px; the paper's
PATCHES = 2**14  # of each set at each level, spread evenly over its images
DIRECTIONS = 256
BINOMIAL = np.array([1, 4, 6, 4, 1]) / 16
CHUNK = 256  # images as floats in memory at once


def sliced_wasserstein(real: Images, fake: Images, rng: np.random.Generator) -> float:
    """Mean 1-Wasserstein distance of 7x7 patches along random directions and over the levels of a Laplacian pyramid.

    0 is identical; halves of one set show what so many images cannot tell apart. Of unlike numbers of images, as many
    as the smaller set has are drawn from the larger: the distance falls with the number. A place on an image is looked
    at in both sets alike, so that where the patches lie adds no difference.

    Source: Karras et al. 2018, section 5.
    Differs from the paper: both sets are scaled by their common mean and standard deviation of each channel and level,
    so that a shift of colour counts; and the distance is in those standard deviations, not times 1,000.

    Args:
        real, fake: of one size, at least 16 px.

    Raises:
        InputError: if they are smaller or of unlike sizes, or a set is empty.
    """
    real, fake = _equally_many(*_checked(real, fake), rng)
    image = np.sort(np.arange(PATCHES) % len(real))
    corner = rng.random((2, PATCHES))
    real_levels, fake_levels = (_patches(side, image, corner) for side in (real, fake))
    return float(np.mean([_distance(*level, rng) for level in zip(real_levels, fake_levels, strict=True)]))


def _distance(real: Array, fake: Array, rng: np.random.Generator) -> float:
    """Of patches (P, C, 7, 7) of one level."""
    real, fake = _standardised(real, fake)
    directions = rng.standard_normal((DIRECTIONS, real[0].size), dtype=np.float32)
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    along_real, along_fake = (np.sort(directions @ side.reshape(PATCHES, -1).T, axis=1) for side in (real, fake))
    return float(np.abs(along_real - along_fake).mean())


def _standardised(real: Array, fake: Array) -> tuple[Array, Array]:
    both = np.concatenate([real, fake])
    for channel in range(both.shape[1]):
        values = both[:, channel]
        deviation = values.std(dtype=np.float64)
        values -= values.mean(dtype=np.float64)
        values /= deviation if deviation > 1e-6 else 1  # without any content it stays at 0
    return both[:PATCHES], both[PATCHES:]


def _patches(images: Images, image: NDArray[np.int64], corner: NDArray[np.float64]) -> list[Array]:
    """Per level (P, C, 7, 7), the finest first.

    Args:
        image: (P,) which image each patch is of, ascending.
        corner: (2, P) where its upper left corner lies, as shares in [0, 1) of the height and width there are for it.
    """
    parts = []
    for start in range(0, len(images), CHUNK):
        chosen = slice(*np.searchsorted(image, [start, start + CHUNK]))
        levels = laplacian_pyramid(images[start : start + CHUNK].astype(np.float32) / np.float32(255))
        parts.append([_cut(level, image[chosen] - start, corner[:, chosen]) for level in levels])
    return [np.concatenate(level) for level in zip(*parts, strict=True)]


def _cut(level: Array, image: NDArray[np.int64], corner: NDArray[np.float64]) -> Array:
    windows = np.lib.stride_tricks.sliding_window_view(level, (PATCH, PATCH), axis=(1, 2))  # (N, H-6, W-6, C, 7, 7)
    row, column = (corner * np.array(windows.shape[1:3])[:, None]).astype(np.int64)
    return windows[image, row, column]


def laplacian_pyramid(images: Array) -> list[Array]:
    """What each halving of the size loses, and what is left at the end; they sum to the images when expanded.

    Source: Burt and Adelson 1983.
    """
    levels = []
    while min(images.shape[1:3]) >= 2 * COARSEST:
        coarse = _blurred(images)[:, ::2, ::2]
        levels.append(images - expanded(coarse, images.shape))
        images = coarse
    return [*levels, images]


def expanded(coarse: Array, shape: tuple[int, ...]) -> Array:
    """At twice the size, interpolated."""
    spread = np.zeros(shape, dtype=np.float32)
    spread[:, ::2, ::2] = coarse
    return 4 * _blurred(spread)


def _blurred(images: Array) -> Array:
    return correlate1d(correlate1d(images, BINOMIAL, axis=1, mode="mirror"), BINOMIAL, axis=2, mode="mirror")


def _equally_many(real: Images, fake: Images, rng: np.random.Generator) -> Iterator[Images]:
    count = min(len(real), len(fake))
    for side in (real, fake):
        yield side if len(side) == count else side[np.sort(rng.choice(len(side), count, replace=False))]


def _checked(real: Images, fake: Images) -> tuple[Images, Images]:
    for name, side in (("real", real), ("synthetic", fake)):
        if len(side) == 0:
            raise InputError(f"0 {name} images to compare, at least 1 is needed; give some")
    if real.shape[1:] != fake.shape[1:]:
        raise InputError(
            f"real images are {real.shape[1:]}, synthetic {fake.shape[1:]} (height, width, channels); "
            "only images of one size are compared: resize them"
        )
    if min(real.shape[1:3]) < COARSEST:
        raise InputError(
            f"images of {real.shape[2]}x{real.shape[1]} px are too small for this distance, at least {COARSEST} px a "
            "side are needed: raise gan.image_size"
        )
    return real, fake
