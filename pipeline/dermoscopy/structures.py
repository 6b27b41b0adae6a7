"""Patterns of pigment that dermoscopy names: network, globules, cobblestones, dots."""

import numpy as np

from pipeline.dermoscopy.fields import Field, cells, noise, pixel_pitch, smoothstep

PATTERNS = ("network", "globules", "cobblestones", "homogeneous")
PATTERN_SHARES = (0.45, 0.15, 0.1, 0.3)
DOTTED_SHARE = 0.25


def draw_pattern(x: Field, y: Field, generator: np.random.Generator) -> Field:
    """Logarithm of the change of the pigment by the lesion's pattern, which fades in places.

    Args:
        x, y: (H, W), mm from the centre of the lesion.

    Returns: (H, W), about zero on average.
    """
    pattern = generator.choice(PATTERNS, p=PATTERN_SHARES)
    strength, dotted = generator.uniform(0.2, 0.5), generator.random() < DOTTED_SHARE
    here = smoothstep(noise(x, y, 3.0, generator), -1.6, 0.6)
    change = np.zeros_like(x)
    if pattern == "network":
        change = strength * here * _network(x, y, generator.uniform(0.22, 0.42), generator)
    if pattern == "globules":
        change = strength * here * _globules(x, y, generator.uniform(0.3, 0.6), generator)
    if pattern == "cobblestones":
        change = strength * here * _cobblestones(x, y, generator.uniform(0.5, 0.8), generator)
    if dotted:
        change = change + generator.uniform(0.3, 0.6) * dots(x, y, generator.uniform(0.5, 0.9), generator)
    return change


def dots(x: Field, y: Field, period: float, generator: np.random.Generator) -> Field:
    """Scattered dots of different sizes, in groups. Returns: (H, W) in [0, 1]."""
    middle, _, number = cells(x, y, period, generator)
    here = smoothstep(noise(x, y, 4 * period, generator), -0.3, 0.8)
    radius = np.float32(0.4) * np.clip(number - np.float32(0.3), 0, 1) + np.float32(0.02)
    return _resolved(x, y, period) * here * np.clip(2 - 2 * middle / radius, 0, 1)


def _network(x: Field, y: Field, period: float, generator: np.random.Generator) -> Field:
    """Dark lines round paler holes; their width varies, and they break where it is nothing."""
    _, wall, _ = cells(x, y, period, generator)
    width = np.float32(0.2) + np.float32(0.07) * noise(x, y, 3 * period, generator)
    lines = np.clip(1 - wall / np.maximum(width, np.float32(0.02)), 0, 1)
    return _resolved(x, y, period) * (np.float32(1.5) * lines - np.float32(0.55))


def _globules(x: Field, y: Field, period: float, generator: np.random.Generator) -> Field:
    """Round dark clods of different sizes, apart from each other."""
    middle, _, number = cells(x, y, period, generator)
    radius = np.float32(0.15) + np.float32(0.35) * number
    return _resolved(x, y, period) * (np.float32(1.4) * smoothstep(middle / radius, 1.1, 0.6) - np.float32(0.35))


def _cobblestones(x: Field, y: Field, period: float, generator: np.random.Generator) -> Field:
    """Large dark clods that touch, with pale seams."""
    _, wall, number = cells(x, y, period, generator)
    return _resolved(x, y, period) * (smoothstep(wall, 0.02, 0.18) * (np.float32(0.7) + number) - np.float32(0.7))


def _resolved(x: Field, y: Field, period: float) -> np.float32:
    """The contrast that a pattern keeps in pixels of this pitch: none at two pixels a period, as in any camera."""
    return np.float32(np.clip((period / pixel_pitch(x, y) - 1.5) / 3, 0, 1))
