"""Smooth random functions of the plane: noise and cells, both read from a periodic tile that is computed once."""

from functools import cache
from itertools import product

import numpy as np
from numpy.typing import NDArray

Field = NDArray[np.floating]  # (H, W); float32 wherever a whole picture is drawn, for speed

TILE = 256  # samples, both sides of a tile; a power of two
BUMPS = 32  # periods of noise across the tile
CELLS = 32  # cells across the tile


@cache
def noise_tile() -> Field:
    """A periodic tile of smooth noise with zero mean and unit variance. Returns: (TILE, TILE)."""
    spectrum = np.fft.rfft2(np.random.default_rng(0).standard_normal((TILE, TILE)))
    frequency = np.hypot(np.fft.fftfreq(TILE)[:, None], np.fft.rfftfreq(TILE)[None, :]) * TILE / BUMPS
    tile = np.fft.irfft2(spectrum * np.exp(-(((frequency - 0.75) / 0.35) ** 2)), s=(TILE, TILE))
    return ((tile - tile.mean()) / tile.std()).astype(np.float32)


@cache
def cell_tiles() -> tuple[Field, Field, Field]:
    """A periodic mesh of irregular cells: every point belongs to the nearest of scattered centres.

    Returns: three tiles, each (TILE, TILE): the distance from the centre and from the wall, in cells; a number of the
    cell in [0, 1].
    """
    generator = np.random.default_rng(1)
    scatter = generator.uniform(0.1, 0.9, (CELLS, CELLS, 2))
    numbers = generator.random((CELLS, CELLS))
    place = (np.arange(TILE) + 0.5) * CELLS / TILE
    row, column = np.meshgrid(place, place, indexing="ij")
    own_row, own_column = row.astype(np.int64), column.astype(np.int64)
    distances, candidates = [], []
    for down, right in product(range(-2, 3), repeat=2):
        cell = (own_row + down) % CELLS, (own_column + right) % CELLS
        centre_row = own_row + down + scatter[cell][..., 0]
        centre_column = own_column + right + scatter[cell][..., 1]
        distances.append(np.hypot(row - centre_row, column - centre_column))
        candidates.append(numbers[cell])
    order = np.argsort(distances, axis=0)[:2]
    first, second = np.take_along_axis(np.stack(distances), order, axis=0)
    number = np.take_along_axis(np.stack(candidates), order[:1], axis=0)[0]
    return first.astype(np.float32), ((second - first) / 2).astype(np.float32), number.astype(np.float32)


def noise(x: Field, y: Field, period: float, generator: np.random.Generator) -> Field:
    """Smooth noise with zero mean and unit variance, from a random place of the tile under a random angle.

    Args:
        x, y: (H, W), coordinates.
        period: of the noise, in the unit of the coordinates.

    Returns: (H, W), mostly in [-2.5, 2.5].
    """
    return _sample((noise_tile(),), x, y, TILE / BUMPS / period, generator)[0]


def fractal_noise(x: Field, y: Field, period: float, octaves: int, generator: np.random.Generator) -> Field:
    """Noise of the given period and of its halves, each at 0.6 of the amplitude before. Unit variance, (H, W)."""
    amplitudes = 0.6 ** np.arange(octaves)
    layers = [amplitude * noise(x, y, period / 2**k, generator) for k, amplitude in enumerate(amplitudes)]
    return (sum(layers) / np.sqrt(np.sum(amplitudes**2))).astype(np.float32)


def cells(x: Field, y: Field, period: float, generator: np.random.Generator) -> tuple[Field, Field, Field]:
    """A bent mesh of cells of different sizes and shapes.

    Args:
        x, y: (H, W), coordinates.
        period: mean distance between two neighbouring cells, in the unit of the coordinates.

    Returns: three fields, each (H, W): the distance from the cell's centre and from its wall, in periods and mostly
    below 0.8; a number of the cell in [0, 1].
    """
    bend = np.float32(0.3 * period)
    bent_x = x + bend * noise(x, y, 4 * period, generator)
    bent_y = y + bend * noise(x, y, 4 * period, generator)
    middle, wall, number = _sample(cell_tiles(), bent_x, bent_y, TILE / CELLS / period, generator)
    return middle, wall, number


def smoothstep(value: Field, low: float, high: float) -> Field:
    """0 up to ``low``, 1 from ``high`` on, smooth between; falls if ``low`` is above ``high``."""
    t = np.clip((value - np.float32(low)) / np.float32(high - low), 0, 1)
    return t * t * (3 - 2 * t)


def pixel_pitch(x: Field, y: Field) -> float:
    """Distance between two neighbouring pixels, in the unit of the coordinates."""
    return float(np.hypot(x[0, 1] - x[0, 0], y[0, 1] - y[0, 0]))


def _sample(tiles: tuple[Field, ...], x: Field, y: Field, step: float, generator: np.random.Generator) -> list[Field]:
    """Tiles repeated over the plane, ``step`` samples per unit, all from the same random place and angle.

    Bilinear between the samples. Returns: a field (H, W) for each tile.
    """
    angle, offset_x, offset_y = generator.uniform(0, [2 * np.pi, TILE, TILE])
    cosine, sine = np.float32(np.cos(angle) * step), np.float32(np.sin(angle) * step)
    column = x * cosine - y * sine + np.float32(offset_x)
    row = x * sine + y * cosine + np.float32(offset_y)
    row_floor, column_floor = np.floor(row), np.floor(column)
    down, right = row - row_floor, column - column_floor
    left = column_floor.astype(np.intp) & (TILE - 1)
    beside = (left + 1) & (TILE - 1)
    top = row_floor.astype(np.intp) & (TILE - 1)
    below = ((top + 1) & (TILE - 1)) * TILE
    top *= TILE
    corners = top + left, top + beside, below + left, below + beside
    return [_bilinear(tile.ravel(), corners, down, right) for tile in tiles]


def _bilinear(tile: NDArray[np.floating], corners: tuple[NDArray[np.intp], ...], down: Field, right: Field) -> Field:
    upper, upper_right, lower, lower_right = (tile.take(corner) for corner in corners)
    upper = upper + (upper_right - upper) * right
    lower = lower + (lower_right - lower) * right
    return upper + (lower - upper) * down
