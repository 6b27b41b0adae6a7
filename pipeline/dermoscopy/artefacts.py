"""What gets between skin and camera: hair, ruler, ink, gel bubbles, vignette. None of it depends on the class."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pipeline.dermoscopy.fields import Field, fractal_noise, smoothstep, stroke_coverage

Picture = NDArray[np.floating]  # (H, W, 3), RGB in [0, 1]

RULER_SHARE = 0.18
INK_SHARE = 0.05
BUBBLE_SHARE = 0.12
SOFT_VIGNETTE_SHARE = 0.35
BLACK_CORNERS_SHARE = 0.2


def blend(picture: Picture, colour: ArrayLike, opacity: Field) -> Picture:
    """Lays a film over the picture.

    Args:
        colour: (3,), RGB in [0, 1].
        opacity: (H, W) in [0, 1].
    """
    return picture + opacity[..., None] * (np.asarray(colour, dtype=np.float32) - picture)


def add_hair(picture: Picture, density: float, generator: np.random.Generator) -> Picture:
    """Bent strands that follow a common direction loosely.

    Args:
        density: 0 none to 1 dense.
    """
    strands = generator.poisson(18 * density)
    if not strands:
        return picture
    height, width = picture.shape[:2]
    start = generator.uniform([-0.1 * width, -0.1 * height], [1.1 * width, 1.1 * height], (strands, 2))
    heading = generator.uniform(0, 2 * np.pi) + generator.normal(0, 0.6, (strands, 1))
    length = height * generator.uniform(0.25, 1.1, (strands, 1))
    along = np.linspace(0, 1, 3 * height)
    turned = heading + generator.normal(0, 1.1, (strands, 1)) * along  # (strands, points)
    step = length[..., None] / len(along) * np.stack([np.cos(turned), np.sin(turned)], axis=2)
    cover = stroke_coverage(
        start[:, None] + np.cumsum(step, axis=1), height * generator.uniform(0.006, 0.013), (height, width)
    )
    shade = generator.uniform(0.3, 1.0)
    return blend(picture, (0.28 * shade, 0.18 * shade, 0.12 * shade), generator.uniform(0.7, 0.95) * cover)


def add_ruler(picture: Picture, pixels_per_mm: float, generator: np.random.Generator) -> Picture:
    """A scale in mm near the lower or the left side: its ticks, the fifth longer, and sometimes its base line."""
    if generator.random() > RULER_SHARE:
        return picture
    height, width = picture.shape[:2]
    angle = generator.normal(0, 0.12) + generator.choice([0, 0, -np.pi / 2])
    along = np.array([np.cos(angle), np.sin(angle)])
    across = np.array([along[1], -along[0]])
    origin = np.array([width, height]) * (
        generator.uniform([0.1, 0.88], [0.4, 0.95]) if abs(angle) < 1 else [0.07, 0.9]
    )
    tick = np.arange(generator.integers(8, 14))
    foot = origin + tick[:, None] * pixels_per_mm * along
    size = height * np.where(tick % 5 == 0, 0.06, 0.035)
    reach = np.linspace(0, 1, max(8, height // 8))
    ticks = foot[:, None] + (size[:, None] * reach)[..., None] * across
    cover = stroke_coverage(ticks, height * 0.009, (height, width))
    if generator.random() < 0.6:
        base = foot[0] + np.linspace(0, 1, 2 * width)[:, None] * (foot[-1] - foot[0])
        cover = np.maximum(cover, stroke_coverage(base[None], height * 0.007, (height, width)))
    return blend(picture, (0.1, 0.1, 0.12), 0.85 * cover)


def add_ink(picture: Picture, x: Field, y: Field, generator: np.random.Generator) -> Picture:
    """Violet strokes of a surgical marker around the lesion.

    Args:
        x, y: (H, W), shorter sides from the centre of the picture.
    """
    if generator.random() > INK_SHARE:
        return picture
    height, width = picture.shape[:2]
    start, extent = generator.uniform(0, 2 * np.pi), generator.uniform(0.6, 2.5)
    angle = start + np.linspace(0, extent, 4 * height)
    wobble = 1 + 0.04 * np.sin(generator.uniform(4, 9) * angle) + 0.02 * np.sin(23 * angle)
    radius = height * generator.uniform(0.4, 0.5) * wobble
    path = np.stack([width / 2 + radius * np.cos(angle), height / 2 + radius * np.sin(angle)], axis=1)
    cover = stroke_coverage(path[None], height * 0.025, (height, width))
    worn = smoothstep(fractal_noise(x, y, 0.12, 2, generator), -1.2, 0.6)
    return blend(picture, (0.33, 0.22, 0.55), 0.75 * cover * worn)


def add_bubbles(picture: Picture, x: Field, y: Field, generator: np.random.Generator) -> Picture:
    """Bubbles in the immersion gel: a bright rim, a darker fringe outside and a glint.

    Args:
        x, y: (H, W), shorter sides from the centre of the picture.
    """
    if generator.random() > BUBBLE_SHARE:
        return picture
    for _ in range(generator.integers(1, 7)):
        centre_x, centre_y = generator.uniform([-0.6, -0.45], [0.6, 0.45])
        radius = generator.gamma(2.5, 0.012) + 0.012
        distance = np.hypot(x - centre_x, y - centre_y) / radius
        glint = np.hypot(x - centre_x + 0.4 * radius, y - centre_y + 0.4 * radius) / radius
        light = 0.22 * np.exp(-(((distance - 0.85) / 0.15) ** 2)) - 0.15 * np.exp(-(((distance - 1.15) / 0.12) ** 2))
        light += 0.5 * np.exp(-((glint / 0.2) ** 2))
        picture = picture + light[..., None].astype(np.float32)
    return picture


def add_vignette(picture: Picture, x: Field, y: Field, generator: np.random.Generator) -> Picture:
    """None, a gentle darkening outwards, or the black corners of a round field of view.

    Args:
        x, y: (H, W), shorter sides from the centre of the picture.
    """
    kind = generator.random()
    centre_x, centre_y = generator.normal(0, 0.03, 2)
    distance = np.hypot(x - centre_x, y - centre_y)
    if kind < BLACK_CORNERS_SHARE:
        radius = generator.uniform(0.5, 0.68)
        light = smoothstep(distance, radius + 0.02, radius - generator.uniform(0.0, 0.12))
        return picture * (0.02 + 0.98 * light)[..., None]
    if kind < BLACK_CORNERS_SHARE + SOFT_VIGNETTE_SHARE:
        return picture * (1 - generator.uniform(0.2, 0.6) * distance**2)[..., None]
    return picture
