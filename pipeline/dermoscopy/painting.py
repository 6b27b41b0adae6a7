"""Laying colour on a picture: films and strokes."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pipeline.dermoscopy.fields import Field

Picture = NDArray[np.floating]  # (H, W, 3), RGB in [0, 1]


def blend(picture: Picture, colour: ArrayLike, opacity: Field) -> Picture:
    """Lays a film over the picture.

    Args:
        colour: (3,) or (H, W, 3), RGB in [0, 1].
        opacity: (H, W) in [0, 1].
    """
    return picture + opacity[..., None] * (np.asarray(colour, dtype=np.float32) - picture)


def stroke_coverage(paths: NDArray[np.float64], widths: ArrayLike, shape: tuple[int, int]) -> Field:
    """How much of every pixel lies under strokes.

    Args:
        paths: (S, P, 2), the P points of each of S strokes as x, y in px; points closer than 1 px leave no gap.
        widths: px, broadcastable to (S, P).
        shape: (H, W).

    Returns: (H, W) in [0, 1], antialiased.
    """
    tangent = np.gradient(paths, axis=1)
    length = np.linalg.norm(tangent, axis=2, keepdims=True)
    normal = np.stack([-tangent[..., 1], tangent[..., 0]], axis=2) / np.maximum(length, 1e-9)
    width = np.broadcast_to(np.asarray(widths, dtype=np.float64), paths.shape[:2])[..., None]  # (S, P, 1)
    lanes = int(np.ceil(width.max())) + 1
    across = width * ((np.arange(lanes) + 0.5) / lanes - 0.5)  # (S, P, lanes)
    points = paths[:, :, None] + across[..., None] * normal[:, :, None]  # (S, P, lanes, 2)
    area = np.broadcast_to(length * width / lanes, points.shape[:3])
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
