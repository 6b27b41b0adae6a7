"""Smooth random functions of the plane: noise, meshes, and strokes laid on a pixel grid."""

from functools import cache

import numpy as np
from numpy.typing import NDArray

Field = NDArray[np.floating]  # (H, W); float32 wherever a whole picture is drawn, for speed

TILE = 256  # samples, both sides of the noise tile; a power of two
BUMPS = 32  # periods of noise across the tile


@cache
def noise_tile() -> Field:
    """A periodic tile of smooth noise with zero mean and unit variance. Returns: (TILE, TILE)."""
    spectrum = np.fft.rfft2(np.random.default_rng(0).standard_normal((TILE, TILE)))
    frequency = np.hypot(np.fft.fftfreq(TILE)[:, None], np.fft.rfftfreq(TILE)[None, :]) * TILE / BUMPS
    tile = np.fft.irfft2(spectrum * np.exp(-(((frequency - 0.75) / 0.35) ** 2)), s=(TILE, TILE))
    return ((tile - tile.mean()) / tile.std()).astype(np.float32)


def noise(x: Field, y: Field, period: float, generator: np.random.Generator) -> Field:
    """Smooth noise with zero mean and unit variance, from a random place of the tile under a random angle.

    Args:
        x, y: (H, W), coordinates.
        period: of the noise, in the unit of the coordinates.

    Returns: (H, W), mostly in [-2.5, 2.5].
    """
    angle, offset_x, offset_y = generator.uniform(0, [2 * np.pi, TILE, TILE])
    step = TILE / BUMPS / period
    cosine, sine = np.float32(np.cos(angle) * step), np.float32(np.sin(angle) * step)
    column = x * cosine - y * sine + np.float32(offset_x)
    row = x * sine + y * cosine + np.float32(offset_y)
    return _interpolate(row, column)


def fractal_noise(x: Field, y: Field, period: float, octaves: int, generator: np.random.Generator) -> Field:
    """Noise of the given period and of its halves, each at 0.6 of the amplitude before. Unit variance, (H, W)."""
    amplitudes = 0.6 ** np.arange(octaves)
    layers = [amplitude * noise(x, y, period / 2**k, generator) for k, amplitude in enumerate(amplitudes)]
    return (sum(layers) / np.sqrt(np.sum(amplitudes**2))).astype(np.float32)


def honeycomb(x: Field, y: Field, period: float, generator: np.random.Generator) -> Field:
    """A bent hexagonal lattice: 1 in the middle of its cells, about -0.5 on the walls between them.

    Args:
        x, y: (H, W), coordinates.
        period: distance between two cells, in the unit of the coordinates.
    """
    bent_x = x + np.float32(0.35 * period) * noise(x, y, 4 * period, generator)
    bent_y = y + np.float32(0.35 * period) * noise(x, y, 4 * period, generator)
    angles = generator.uniform(0, np.pi) + np.arange(3) * np.pi / 3
    wave = np.float32(4 * np.pi / np.sqrt(3) / period)
    waves = [np.cos(wave * (np.float32(np.cos(a)) * bent_x + np.float32(np.sin(a)) * bent_y)) for a in angles]
    return (waves[0] + waves[1] + waves[2]) / np.float32(3)


def smoothstep(value: Field, low: float, high: float) -> Field:
    """0 up to ``low``, 1 from ``high`` on, smooth between; falls if ``low`` is above ``high``."""
    t = np.clip((value - np.float32(low)) / np.float32(high - low), 0, 1)
    return t * t * (3 - 2 * t)


def stroke_coverage(paths: NDArray[np.float64], width: float, shape: tuple[int, int]) -> Field:
    """How much of every pixel lies under strokes.

    Args:
        paths: (S, P, 2), the P points of each of S strokes as x, y in px; points closer than 1 px leave no gap.
        width: px.
        shape: (H, W).

    Returns: (H, W) in [0, 1], antialiased.
    """
    tangent = np.gradient(paths, axis=1)
    length = np.linalg.norm(tangent, axis=2, keepdims=True)
    normal = np.stack([-tangent[..., 1], tangent[..., 0]], axis=2) / np.maximum(length, 1e-9)
    lanes = int(np.ceil(width)) + 1
    across = ((np.arange(lanes) + 0.5) / lanes - 0.5) * width
    points = paths[:, :, None] + across[:, None] * normal[:, :, None]  # (S, P, lanes, 2)
    area = np.broadcast_to(length[:, :, None] * width / lanes, (*points.shape[:3], 1))
    return np.minimum(_splat(points.reshape(-1, 2), area.ravel(), shape), 1)


def _splat(points: NDArray[np.float64], weights: NDArray[np.float64], shape: tuple[int, int]) -> Field:
    """Shares the weight of each point among the four pixels around it. Returns: (H, W)."""
    height, width = shape
    inside = np.all((points >= 0) & (points < [width - 1, height - 1]), axis=1)
    points, weights = points[inside], weights[inside]
    corner = points.astype(np.int64)
    right, down = (points - corner).T
    first = corner[:, 1] * width + corner[:, 0]
    indices = np.concatenate([first, first + 1, first + width, first + width + 1])
    shares = np.concatenate([(1 - right) * (1 - down), right * (1 - down), (1 - right) * down, right * down])
    total = np.bincount(indices, shares * np.tile(weights, 4), minlength=height * width)
    return total.reshape(shape).astype(np.float32)


def _interpolate(row: Field, column: Field) -> Field:
    """The noise tile, repeated over the plane, bilinear between its samples. Returns: (H, W)."""
    tile = noise_tile().ravel()
    row_floor, column_floor = np.floor(row), np.floor(column)
    down, right = row - row_floor, column - column_floor
    left = column_floor.astype(np.int32) & (TILE - 1)
    beside = (left + 1) & (TILE - 1)
    top = row_floor.astype(np.int32) & (TILE - 1)
    below = ((top + 1) & (TILE - 1)) * TILE
    top *= TILE
    upper = tile[top + left] * (1 - right) + tile[top + beside] * right
    lower = tile[below + left] * (1 - right) + tile[below + beside] * right
    return upper * (1 - down) + lower * down
