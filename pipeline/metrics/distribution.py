"""Distances between two sets of images in a feature space: KID, FID, precision, recall, density and coverage.

Everywhere: ``real`` is (M, D) and ``fake`` (N, D), one row of features per image; computed in float64.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist

from pipeline.errors import InputError

Features = NDArray[np.float32] | NDArray[np.float64]
Array = NDArray[np.float64]
CHUNK = 512  # rows of a pairwise matrix in memory at once


class Kid(NamedTuple):
    value: float
    standard_error: float


class Prdc(NamedTuple):
    """Precision, recall and coverage in [0, 1], density at least 0; 1 is ideal for each, more is no better."""

    precision: float
    recall: float
    density: float
    coverage: float


def kid(real: Features, fake: Features) -> Kid:
    """Unbiased squared maximum mean discrepancy with the kernel (x.y / D + 1)^3; 0 for equal distributions.

    The standard error is the two-sample jackknife over images of this very estimate, so it is for the sizes at hand;
    it is not too small on average (Efron and Stein 1981), unlike the spread over overlapping subsets.
    It does not hold the variation between runs of a generator.

    Source: Bińkowski et al. 2018, section 4.

    Raises:
        InputError: with fewer than three images on a side.
    """
    real, fake = _checked(real, fake, at_least=3)
    within_real = _kernel_row_sums(real, real) - _kernel_diagonal(real)
    within_fake = _kernel_row_sums(fake, fake) - _kernel_diagonal(fake)
    real_to_fake, fake_to_real = _kernel_row_sums(real, fake), _kernel_row_sums(fake, real)
    m, n = len(real), len(fake)
    between = real_to_fake.sum() / (m * n)
    value = within_real.sum() / (m * (m - 1)) + within_fake.sum() / (n * (n - 1)) - 2 * between
    variance = _jackknife_variance(within_real, real_to_fake / n) + _jackknife_variance(within_fake, fake_to_real / m)
    return Kid(float(value), float(np.sqrt(variance)))


def _jackknife_variance(within: Array, between: Array) -> float:
    """From the estimates without one image each, of one side; what the other side adds is the same in all.

    Args:
        within: (n,) kernel sums of an image with the others of its side.
        between: (n,) kernel means of an image with the other side.
    """
    n = len(within)
    without = (within.sum() - 2 * within) / ((n - 1) * (n - 2)) - 2 * (between.sum() - between) / (n - 1)
    return float((n - 1) / n * np.sum((without - without.mean()) ** 2))


def _kernel_row_sums(rows: Array, columns: Array) -> Array:
    return np.concatenate([_kernel(part @ columns.T, rows.shape[1]).sum(axis=1) for part in _chunks(rows)])


def _kernel_diagonal(rows: Array) -> Array:
    return _kernel(np.einsum("nd,nd->n", rows, rows), rows.shape[1])


def _kernel(products: Array, dimensions: int) -> Array:
    return (products / dimensions + 1) ** 3


def fid(real: Features, fake: Features) -> float:
    """Fréchet distance of the Gaussians with the two means and covariances, at least 0; biased upwards at small n.

    The trace of the root of the product of the covariances is that of a symmetric matrix with the same eigenvalues.

    Source: Heusel et al. 2017, eq. 6; Dowson and Landau 1982.

    Raises:
        InputError: with fewer than two images on a side.
    """
    real, fake = _checked(real, fake, at_least=2)
    covariance_real, covariance_fake = (np.atleast_2d(np.cov(side, rowvar=False)) for side in (real, fake))
    root = _symmetric_root(covariance_real)
    eigenvalues = np.linalg.eigvalsh(root @ covariance_fake @ root)
    cross = np.sqrt(np.clip(eigenvalues, 0, None)).sum()  # rounding puts the smallest a little below 0
    shift = np.sum((real.mean(axis=0) - fake.mean(axis=0)) ** 2)
    return float(max(0.0, shift + np.trace(covariance_real) + np.trace(covariance_fake) - 2 * cross))


def _symmetric_root(matrix: Array) -> Array:
    values, vectors = np.linalg.eigh(matrix)
    return (vectors * np.sqrt(np.clip(values, 0, None))) @ vectors.T


def prdc(real: Features, fake: Features, neighbours: int) -> Prdc:
    """How well two sets lie in each other's balls, each ball reaching to its centre's k-th nearest neighbour.

    Source: precision and recall, Kynkäänniemi et al. 2019, eq. 1-3; density and coverage, Naeem et al. 2020, eq. 3-5.

    Raises:
        InputError: unless both sets have more than ``neighbours`` images.
    """
    real, fake = _checked(real, fake, at_least=neighbours + 1)
    real_radius, fake_radius = _neighbour_distances(real, neighbours), _neighbour_distances(fake, neighbours)
    real_balls = np.zeros(len(fake), dtype=np.int64)  # that hold each fake image
    recalled = np.zeros(len(real), dtype=bool)
    covered = np.zeros(len(real), dtype=bool)
    start = 0
    for part in _chunks(real):
        rows = slice(start, start + len(part))
        distances = cdist(part, fake)
        inside = distances <= real_radius[rows, None]
        real_balls += inside.sum(axis=0)
        covered[rows] = inside.any(axis=1)
        recalled[rows] = (distances <= fake_radius).any(axis=1)
        start = rows.stop
    precision, density = np.mean(real_balls > 0), real_balls.mean() / neighbours
    return Prdc(float(precision), float(recalled.mean()), float(density), float(covered.mean()))


def _neighbour_distances(rows: Array, k: int) -> Array:
    """(N,) Euclidean distance of each row to its k-th nearest other row."""
    # Column 0 after sorting is the row itself at distance 0, so the k-th other one is column k.
    return np.concatenate([np.partition(cdist(part, rows), k, axis=1)[:, k] for part in _chunks(rows)])


def _chunks(rows: Array) -> Iterator[Array]:
    for start in range(0, len(rows), CHUNK):
        yield rows[start : start + CHUNK]


def _checked(real: Features, fake: Features, at_least: int) -> tuple[Array, Array]:
    for name, side in (("real", real), ("synthetic", fake)):
        if len(side) < at_least:
            raise InputError(f"{len(side)} {name} images to compare, at least {at_least} are needed; give more images")
        if not np.isfinite(side).all():
            raise InputError(f"the features of the {name} images are not all finite; train the extractor again")
    return np.asarray(real, dtype=np.float64), np.asarray(fake, dtype=np.float64)
