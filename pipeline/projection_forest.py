"""Neighbours among many points without comparing each with all others.

A tree halves the points again and again by where they lie along a random direction; neighbours end in the same leaf
more often than not, and another tree gives those that one tore apart another chance (Dasgupta and Freund 2008, Random
projection trees and low dimensional manifolds). About n log n operations a tree, and memory for some n numbers.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

LEAF = 32  # points at the most


class Tree(NamedTuple):
    """Leaves of equal size, but for one point.

    Attributes:
        directions: (D, L), one for all nodes of a level. Differs from the paper: there each node has its own.
        thresholds: of each level the (2^l,) heights above which a point goes right.
        order: (N,), the points leaf by leaf.
        starts: (2^L,), where each leaf begins in ``order``.
    """

    directions: NDArray[np.float32]
    thresholds: list[NDArray[np.float32]]
    order: NDArray[np.int64]
    starts: NDArray[np.int64]

    def leaf_size(self) -> int:
        """Of the largest leaf."""
        return -(-len(self.order) // len(self.starts))

    def leaves(self, points: NDArray[np.float32]) -> NDArray[np.int64]:
        """The leaf that each point (M, D) comes to, (M,)."""
        heights = points @ self.directions
        leaf = np.zeros(len(points), dtype=np.int64)
        for level, thresholds in enumerate(self.thresholds):
            leaf = 2 * leaf + (heights[:, level] > thresholds[leaf])
        return leaf

    def members(self, leaf: NDArray[np.int64], place: int) -> NDArray[np.int64]:
        """The point at a place below ``leaf_size`` of each leaf; after the last of a small leaf, one of the next."""
        return self.order[np.minimum(self.starts[leaf] + place, len(self.order) - 1)]


def grow(points: NDArray[np.float32], generator: np.random.Generator) -> Tree:
    """A tree over points (N, D), N > 0."""
    count = len(points)
    depth = int(np.ceil(np.log2(max(count / LEAF, 1))))
    directions = generator.standard_normal((points.shape[1], depth)).astype(np.float32)
    heights = points @ directions
    node, order, starts = np.zeros(count, dtype=np.int64), np.arange(count), np.zeros(1, dtype=np.int64)
    thresholds = []
    for level in range(depth):
        order = np.lexsort((heights[:, level], node))
        starts = -(-count * np.arange(2 ** (level + 1)) // 2 ** (level + 1))
        thresholds.append(heights[order[starts[1::2] - 1], level])  # of the last that goes left
        node[order] = np.repeat(np.arange(len(starts)), np.diff(starts, append=count))
    return Tree(directions, thresholds, order, starts)
