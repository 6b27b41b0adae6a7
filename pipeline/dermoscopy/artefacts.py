"""What else lies on the skin: ruler, ink, plaster, gel bubbles, glare. None of it depends on the class."""

import numpy as np
from numpy.typing import NDArray

from pipeline.dermoscopy.fields import Field, fractal_noise, noise, smoothstep
from pipeline.dermoscopy.painting import Picture, blend, stroke_coverage

RULER_SHARE = 0.18
INK_SHARE = 0.05
PLASTER_SHARE = 0.03
BUBBLE_SHARE = 0.12
GLARE_SHARE = 0.15
PLASTER_COLOURS = np.array([[0.1, 0.6, 0.35], [0.2, 0.45, 0.75], [0.85, 0.75, 0.2], [0.75, 0.8, 0.82]])


def add_ruler(picture: Picture, pixels_per_mm: float, generator: np.random.Generator) -> Picture:
    """A scale in mm near the lower or the left side: its ticks, the fifth longer, and sometimes its base line."""
    if generator.random() > RULER_SHARE:
        return picture
    height, width = picture.shape[:2]
    angle = generator.normal(0, 0.12) + generator.choice([0, 0, -np.pi / 2])
    along = np.array([np.cos(angle), np.sin(angle)])
    across = np.array([along[1], -along[0]])
    origin = np.array([width, height]) * (
        generator.uniform([0.1, 0.88], [0.4, 0.95]) if abs(angle) < 1 else [0.05, 0.9]
    )
    tick = np.arange(generator.integers(8, 14))
    foot = origin + tick[:, None] * pixels_per_mm * along
    length = height * np.where(tick % 5 == 0, 0.05, 0.028)
    reach = np.linspace(0, 1, max(8, height // 8))
    ticks = foot[:, None] + (length[:, None] * reach)[..., None] * across
    cover = stroke_coverage(ticks, height * 0.006, (height, width))
    if generator.random() < 0.6:
        base = foot[0] + np.linspace(0, 1, 2 * width)[:, None] * (foot[-1] - foot[0])
        cover = np.maximum(cover, stroke_coverage(base[None], height * 0.005, (height, width)))
    return blend(picture, (0.1, 0.1, 0.12), generator.uniform(0.5, 0.9) * cover)


def add_ink(picture: Picture, x: Field, y: Field, generator: np.random.Generator) -> Picture:
    """Violet strokes of a surgical marker around the lesion: one arc or a few dashes.

    Args:
        x, y: (H, W), shorter sides from the centre of the picture.
    """
    if generator.random() > INK_SHARE:
        return picture
    height, width = picture.shape[:2]
    start, dashes = generator.uniform(0, 2 * np.pi), int(generator.choice([1, 3, 4]))
    extent = generator.uniform(0.6, 2.5) if dashes == 1 else 0.15
    paths = [_arc(start + 2 * np.pi * k / dashes, extent, height, width, generator) for k in range(dashes)]
    cover = stroke_coverage(np.stack(paths), height * 0.022, (height, width))
    worn = smoothstep(fractal_noise(x, y, 0.12, 3, generator), -1.2, 0.8)
    return blend(picture, (0.33, 0.24, 0.55), 0.75 * cover * worn)


def _arc(start: float, extent: float, height: int, width: int, generator: np.random.Generator) -> NDArray[np.float64]:
    """A shaky arc round the centre of the picture, radians. Returns: (points, 2), x and y in px."""
    angle = start + np.linspace(0, extent, 4 * height)
    wobble = 1 + 0.04 * np.sin(generator.uniform(4, 9) * angle) + 0.02 * np.sin(23 * angle)
    radius = height * generator.uniform(0.38, 0.5) * wobble
    return np.stack([width / 2 + radius * np.cos(angle), height / 2 + radius * np.sin(angle)], axis=1)


def add_plaster(picture: Picture, x: Field, y: Field, generator: np.random.Generator) -> Picture:
    """A round coloured patch that reaches into the picture from the left or the right.

    Args:
        x, y: (H, W), shorter sides from the centre of the picture.
    """
    if generator.random() > PLASTER_SHARE:
        return picture
    centre_x, centre_y = generator.choice([-1, 1]) * generator.uniform(0.62, 0.8), generator.normal(0, 0.3)
    radius = generator.uniform(0.2, 0.35)
    cover = smoothstep(np.hypot(x - np.float32(centre_x), y - np.float32(centre_y)), radius + 0.008, radius - 0.008)
    colour = PLASTER_COLOURS[generator.integers(len(PLASTER_COLOURS))] * generator.uniform(0.8, 1.05)
    weave = 1 + 0.05 * noise(x, y, 0.03, generator)
    return blend(picture, colour * weave[..., None], cover)


def add_bubbles(picture: Picture, x: Field, y: Field, generator: np.random.Generator) -> Picture:
    """Bubbles in the immersion gel, a few together: a bright rim, a darker fringe inside and a glint.

    Args:
        x, y: (H, W), shorter sides from the centre of the picture.
    """
    if generator.random() > BUBBLE_SHARE:
        return picture
    group = generator.uniform([-0.6, -0.45], [0.6, 0.45])
    strength = generator.uniform(0.4, 1.0)
    for _ in range(generator.integers(1, 9)):
        centre_x, centre_y = group + generator.normal(0, 0.15, 2)
        radius = generator.gamma(2.0, 0.009) + 0.008
        away_x, away_y = (
            (x - np.float32(centre_x)) / np.float32(radius),
            (y - np.float32(centre_y)) / np.float32(radius),
        )
        distance, glint = np.hypot(away_x, away_y), np.hypot(away_x + np.float32(0.4), away_y + np.float32(0.4))
        rim = 0.2 * np.exp(-(((distance - 1) / 0.12) ** 2)) - 0.12 * np.exp(-(((distance - 0.75) / 0.12) ** 2))
        light = strength * (rim + 0.4 * np.exp(-((glint / 0.18) ** 2)))
        picture = picture + light[..., None].astype(np.float32)
    return picture


def add_glare(picture: Picture, x: Field, y: Field, generator: np.random.Generator) -> Picture:
    """Light thrown back by the skin's surface, as specks in one region.

    Args:
        x, y: (H, W), shorter sides from the centre of the picture.
    """
    if generator.random() > GLARE_SHARE:
        return picture
    specks = smoothstep(fractal_noise(x, y, generator.uniform(0.02, 0.05), 3, generator), 1.4, 2.4)
    region = smoothstep(noise(x, y, 0.6, generator), 0.6, 1.8)
    return blend(picture, (1.0, 1.0, 1.0), generator.uniform(0.4, 0.9) * specks * region)
