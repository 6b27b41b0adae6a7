"""Photographs of the phantom with maps of what lies on the skin: what artefact detectors learn from."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipeline.dermoscopy.cohort import draw_cohort
from pipeline.dermoscopy.faults import VARIANTS
from pipeline.dermoscopy.photograph import Scene, photograph
from pipeline.images import at_size
from pipeline.params.artefacts import Kind
from pipeline.processes import map_in_processes

MALIGNANT = 0.25  # of the lesions
TAKEN_AT = 1.25  # sides of the result: photographs are reduced, as an archive's are
PHOTOGRAPHS_PER_WORKER = 50


class Examples(NamedTuple):
    """Images (N, H, W, 3), RGB, and for each kind how much of a pixel shows it, (N, H, W, kinds), both in [0, 255]."""

    images: NDArray[np.uint8]
    maps: NDArray[np.uint8]


def draw_examples(count: int, size: int, kinds: Sequence[Kind], seed: int, drawn: Callable[[int], object]) -> Examples:
    """Dermoscopic photographs, cut to squares of ``size`` px.

    Args:
        drawn: takes the number of photographs just done.
    """
    scenes = [record.scene for record in draw_cohort(count, MALIGNANT, dict.fromkeys(VARIANTS, 0.0), seed)]
    layers = np.empty((count, size, size, 3 + len(kinds)), dtype=np.uint8)
    drawing = map_in_processes(partial(_draw, size, kinds), scenes, count // PHOTOGRAPHS_PER_WORKER)
    for number, example in enumerate(drawing):
        layers[number] = example
        drawn(1)
    return Examples(layers[..., :3], layers[..., 3:])


def _draw(size: int, kinds: Sequence[Kind], scene: Scene) -> NDArray[np.uint8]:
    """(size, size, 3 + kinds)."""
    image, _, artefacts = photograph(scene, round(TAKEN_AT * size))
    maps = [255 * artefacts[kind][..., np.newaxis].astype(np.uint8) for kind in kinds]
    left = (image.shape[1] - image.shape[0]) // 2
    squares = [layer[:, left : left + image.shape[0]] for layer in (image, *maps)]
    return np.concatenate([at_size(square[np.newaxis], size)[0] for square in squares], axis=2)
