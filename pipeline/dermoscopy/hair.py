"""Hair over skin and lesion: long strands that follow a common direction loosely, or the stubble of a shaved place."""

import numpy as np
from numpy.typing import NDArray

from pipeline.dermoscopy.painting import Picture, blend, stroke_coverage

HAIR_COLOURS = np.array([[0.1, 0.08, 0.07], [0.26, 0.16, 0.1], [0.5, 0.34, 0.2], [0.6, 0.56, 0.52]])
HAIR_COLOUR_SHARES = (0.35, 0.4, 0.17, 0.08)
STUBBLE_SHARE = 0.15


def add_hair(picture: Picture, density: float, generator: np.random.Generator) -> Picture:
    """Draws hair.

    Args:
        density: 0 none to 1 dense.
    """
    stubble = generator.random() < STUBBLE_SHARE
    strands = generator.poisson((45 if stubble else 22) * density)
    if not strands:
        return picture
    height, width = picture.shape[:2]
    lengths = generator.uniform(0.02, 0.06, strands) if stubble else generator.uniform(0.2, 1.2, strands)
    paths = _paths(lengths * height, height, width, generator)
    thickness = height * generator.uniform(0.005, 0.011) * np.exp(generator.normal(0, 0.3, (strands, 1)))
    taper = 1 - 0.6 * np.linspace(0, 1, paths.shape[1])
    cover = stroke_coverage(paths, thickness * taper, (height, width))
    colour = HAIR_COLOURS[generator.choice(len(HAIR_COLOURS), p=HAIR_COLOUR_SHARES)] * generator.uniform(0.7, 1.2)
    return blend(picture, colour, generator.uniform(0.6, 0.95) * cover)


def _paths(
    lengths: NDArray[np.float64], height: int, width: int, generator: np.random.Generator
) -> NDArray[np.float64]:
    """Bent strands of the given lengths, (strands,) in px, that start anywhere. Returns: (strands, points, 2), px."""
    strands = len(lengths)
    start = generator.uniform([-0.1 * width, -0.1 * height], [1.1 * width, 1.1 * height], (strands, 2))
    heading = generator.uniform(0, 2 * np.pi) + generator.normal(0, 0.6, (strands, 1))
    along = np.linspace(0, 1, int(2 * lengths.max()) + 2)
    bend, wave = generator.normal(0, [0.9, 0.35], (strands, 2)).T[..., None]
    turned = heading + bend * along + wave * np.sin(2 * np.pi * along)  # (strands, points)
    step = lengths[:, None, None] / len(along) * np.stack([np.cos(turned), np.sin(turned)], axis=2)
    return start[:, None] + np.cumsum(step, axis=1)
