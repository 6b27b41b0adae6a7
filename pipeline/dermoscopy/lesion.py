"""The outline of a lesion, driven by its asymmetry, border and diameter."""

import numpy as np
from numpy.typing import NDArray

from pipeline.dermoscopy.fields import Field, fractal_noise, noise
from pipeline.dermoscopy.traits import Traits

ANGLES = 512


def draw_outline(traits: Traits, generator: np.random.Generator) -> NDArray[np.float64]:
    """Radius of the outline by Fourier descriptors; the area is that of a disc of the lesion's diameter.

    Asymmetry goes into the odd low harmonics, border irregularity into the high ones; the second harmonic, an ellipse,
    has two mirror axes and no border, and is left to chance.

    Returns: (ANGLES,), mm, at equal angles from 0.
    """
    angle = np.arange(ANGLES) * 2 * np.pi / ANGLES
    order = np.arange(2, 19)
    amplitude = np.zeros(len(order))
    amplitude[0] = generator.uniform(0.02, 0.16)
    amplitude[[1, 3]] = np.array([0.22, 0.1]) * traits.asymmetry
    ragged = order >= 6
    amplitude[ragged] = (
        generator.uniform(0.5, 1.5, ragged.sum()) * (0.003 + 0.11 * traits.border) * (6 / order[ragged]) ** 1.6
    )
    phase = generator.uniform(0, 2 * np.pi, len(order))
    bulge = np.sum(amplitude[:, None] * np.cos(order[:, None] * angle + phase[:, None]), axis=0)
    radius = np.exp(bulge - bulge**2)  # round lobes, sharp notches
    return radius * traits.diameter / 2 / np.sqrt(np.mean(radius**2))


def inner_depth(
    outline: NDArray[np.float64], border: float, x: Field, y: Field, generator: np.random.Generator
) -> Field:
    """How far inside the outline a point lies: 1 at the centre, 0 on the outline, negative outside.

    Args:
        outline: (ANGLES,), mm.
        border: irregularity in (0, 1): it bends the outline at a scale that Fourier descriptors do not reach, and
            draws it out into streaks.
        x, y: (H, W), mm from the centre of the lesion.
    """
    amplitude = np.float32(0.03 + 0.17 * border)
    bent_x = x + amplitude * fractal_noise(x, y, 1.2, 2, generator)
    bent_y = y + amplitude * fractal_noise(x, y, 1.2, 2, generator)
    turns = np.arctan2(bent_y, bent_x) * np.float32(ANGLES / (2 * np.pi))
    radius = np.interp(turns, np.arange(ANGLES), outline, period=ANGLES).astype(np.float32)
    distance = np.hypot(bent_x, bent_y)
    depth = 1 - distance / radius
    near = np.clip(1 - 2 * np.abs(depth), 0, 1)  # the centre, where all streaks meet, has none
    return depth + np.float32(0.07 * border) * near * _streaks(bent_x, bent_y, distance, generator)


def _streaks(x: Field, y: Field, distance: Field, generator: np.random.Generator) -> Field:
    """Noise that is constant along every ray from the centre, here strong and there weak. Returns: (H, W)."""
    scale = 1 / np.maximum(distance, np.float32(1e-3))
    ray_x, ray_y = x * scale, y * scale
    return noise(ray_x, ray_y, 0.15, generator) * np.clip(noise(ray_x, ray_y, 1.2, generator), 0, 2)
