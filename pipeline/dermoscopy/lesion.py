"""The outline of a lesion, driven by its asymmetry, border and diameter."""

import numpy as np
from numpy.typing import NDArray

from pipeline.dermoscopy.fields import Field, fractal_noise, noise
from pipeline.dermoscopy.traits import Traits

ANGLES = 512


def draw_outline(traits: Traits, generator: np.random.Generator) -> NDArray[np.float64]:
    """Radius of the outline; the area is that of a disc of the lesion's diameter.

    An oval, whose axis ratio is left to chance, with a dent on one long side and a bulge on the other that grow with
    the asymmetry to a bean, and scallops, rounded and notched, that grow with the border.

    Returns: (ANGLES,), mm, at equal angles from 0.
    """
    angle = np.arange(ANGLES) * 2 * np.pi / ANGLES
    dent = generator.uniform(0, 2 * np.pi)
    bulge = dent + generator.choice([-1, 1]) * generator.uniform(2.4, 2.8)
    oval = generator.uniform(0.02, 0.18) * np.cos(2 * (angle - dent - np.pi / 2 - generator.normal(0, 0.25)))
    bean = 0.7 * _bump(angle - bulge, 8.0) - 1.15 * _bump(angle - dent, 6.0) - 0.08 * np.cos(3 * (angle - dent))
    order = np.arange(5, 12)
    phase = generator.uniform(0, 2 * np.pi, (len(order), 1))
    wave = np.cos(order[:, None] * angle + phase).sum(axis=0) / np.sqrt(len(order) / 2)  # of unit variance
    scallops = (0.01 + 0.095 * traits.border) * np.abs(wave)  # notched where the wave changes its sign
    radius = np.exp(oval + traits.asymmetry * bean + scallops)
    return radius * traits.diameter / 2 / np.sqrt(np.mean(radius**2))


def inner_depth(
    outline: NDArray[np.float64], border: float, x: Field, y: Field, generator: np.random.Generator
) -> Field:
    """How far inside the outline a point lies: 1 at the centre, 0 on the outline, negative outside.

    Args:
        outline: (ANGLES,), mm.
        border: irregularity in (0, 1): it frays the outline at scales that its radius does not reach, breaks off
            islands and draws it out into streaks.
        x, y: (H, W), mm from the centre of the lesion.
    """
    centre_x, centre_y = _centroid(outline)
    amplitude = np.float32(0.03 + 0.05 * border)
    bent_x = x + centre_x + amplitude * fractal_noise(x, y, 1.2, 2, generator)
    bent_y = y + centre_y + amplitude * fractal_noise(x, y, 1.2, 2, generator)
    turns = np.arctan2(bent_y, bent_x) * np.float32(ANGLES / (2 * np.pi))
    radius = np.interp(turns, np.arange(ANGLES), outline, period=ANGLES).astype(np.float32)
    distance = np.hypot(bent_x, bent_y)
    depth = 1 - distance / radius
    frayed = fractal_noise(x, y, 0.5 * float(np.mean(outline)), 3, generator)
    near = np.clip(1 - 1.6 * np.abs(depth), 0, 1)  # far from the outline nothing frays, and all streaks meet
    streaks = _streaks(bent_x, bent_y, distance, generator)
    return depth + np.float32(border) * near * (np.float32(0.2) * frayed + np.float32(0.05) * streaks)


def _bump(angle: NDArray[np.float64], sharpness: float) -> NDArray[np.float64]:
    """1 at angle 0, about 0 on the other side."""
    return np.exp(sharpness * (np.cos(angle) - 1))


def _centroid(outline: NDArray[np.float64]) -> NDArray[np.float32]:
    """Centre of the area that the outline encloses. Returns: (2,), mm."""
    angle = np.arange(ANGLES) * 2 * np.pi / ANGLES
    moments = outline**3 @ np.stack([np.cos(angle), np.sin(angle)], axis=1) / 3
    return (moments / np.sum(outline**2 / 2)).astype(np.float32)


def _streaks(x: Field, y: Field, distance: Field, generator: np.random.Generator) -> Field:
    """Noise that is constant along every ray from the centre, here strong and there weak. Returns: (H, W)."""
    scale = 1 / np.maximum(distance, np.float32(1e-3))
    ray_x, ray_y = x * scale, y * scale
    return noise(ray_x, ray_y, 0.15, generator) * np.clip(noise(ray_x, ray_y, 1.2, generator), 0, 2)
