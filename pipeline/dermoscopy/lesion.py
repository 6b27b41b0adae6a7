"""The lesion: an outline and what pigment is where inside it, both driven by its traits."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.dermoscopy.fields import Field, fractal_noise, honeycomb, noise, smoothstep
from pipeline.dermoscopy.skin import MELANIN
from pipeline.dermoscopy.traits import Traits

ANGLES = 512
COLOURS = ("dark brown", "black", "red", "blue gray", "white")  # beyond the first, light brown
COLOUR_SHARES = np.array([0.38, 0.2, 0.12, 0.17, 0.13])


@dataclass(frozen=True)
class Pigment:
    """What lies on the skin, each (H, W) unless said: densities, then the opacity of two films in [0, 1]."""

    melanin: Field
    melanin_colour: NDArray[np.float32]  # (3,), nats per unit density taken from red, green and blue
    blood: Field
    black: Field
    veil: Field  # blue-white veil
    scar: Field  # regression


def draw_outline(traits: Traits, generator: np.random.Generator) -> NDArray[np.float64]:
    """Radius of the outline by Fourier descriptors; the area is that of a disc of the lesion's diameter.

    Asymmetry goes into the odd low harmonics, border irregularity into the high ones; the second harmonic, an ellipse,
    has two mirror axes and no border, and is left to chance.

    Returns: (ANGLES,), mm, at equal angles from 0.
    """
    angle = np.arange(ANGLES) * 2 * np.pi / ANGLES
    order = np.arange(2, 19)
    amplitude = np.zeros(len(order))
    amplitude[0] = generator.uniform(0.03, 0.16)
    amplitude[[1, 3]] = np.array([0.22, 0.1]) * traits.asymmetry
    ragged = order >= 6
    amplitude[ragged] = (
        generator.uniform(0.5, 1.5, ragged.sum()) * (0.006 + 0.05 * traits.border) * (6 / order[ragged]) ** 0.8
    )
    phase = generator.uniform(0, 2 * np.pi, len(order))
    radius = np.exp(np.sum(amplitude[:, None] * np.cos(order[:, None] * angle + phase[:, None]), axis=0))
    return radius * traits.diameter / 2 / np.sqrt(np.mean(radius**2))


def inner_depth(
    outline: NDArray[np.float64], border: float, x: Field, y: Field, generator: np.random.Generator
) -> Field:
    """How far inside the outline a point lies: 1 at the centre, 0 on the outline, negative outside.

    Args:
        outline: (ANGLES,), mm.
        border: irregularity in (0, 1): it bends the outline at a scale that Fourier descriptors do not reach.
        x, y: (H, W), mm from the centre of the lesion.
    """
    amplitude = np.float32(0.04 + 0.16 * border)
    bent_x = x + amplitude * fractal_noise(x, y, 1.2, 2, generator)
    bent_y = y + amplitude * fractal_noise(x, y, 1.2, 2, generator)
    turns = np.arctan2(bent_y, bent_x) * np.float32(ANGLES / (2 * np.pi))
    radius = np.interp(turns, np.arange(ANGLES), outline, period=ANGLES)
    return (1 - np.hypot(bent_x, bent_y) / radius).astype(np.float32)


def lay_pigment(traits: Traits, depth: Field, x: Field, y: Field, generator: np.random.Generator) -> Pigment:
    """Light brown everywhere, the lesion's other colours in patches, and a structure over all of it.

    Args:
        depth: (H, W), as from ``inner_depth``.
        x, y: (H, W), mm from the centre of the lesion.
    """
    clumps = fractal_noise(x, y, 1.6, 3, generator)
    fade = generator.uniform(0.2, 0.6) * (1.1 - 0.7 * traits.border)
    edge = smoothstep(depth + np.float32(0.02 + 0.08 * traits.border) * clumps, -0.1 * fade, fade)
    patches = _colour_patches(traits, depth, x, y, generator)
    veil = generator.uniform(0.55, 0.8) * patches["blue gray"] * edge
    scar = 0.8 * patches["white"] * edge
    shade = np.exp(generator.uniform(0.1, 0.35) * clumps + _structure(x, y, generator) * (1 - veil))
    brown = generator.uniform(0.55, 1.0) + generator.uniform(0, 0.45) * smoothstep(depth, 0.0, 0.8)
    melanin = (brown + 0.9 * patches["dark brown"] + 0.5 * patches["blue gray"] + 0.4 * patches["black"]) * shade
    return Pigment(
        melanin=melanin * edge * (1 - scar),
        melanin_colour=MELANIN * np.exp(generator.normal(0, [0.14, 0.05, 0.12])).astype(np.float32),
        blood=(generator.uniform(0.0, 0.25) + 1.1 * patches["red"]) * edge,
        black=generator.uniform(0.8, 1.3) * patches["black"] * edge * shade,
        veil=veil,
        scar=scar,
    )


def _colour_patches(
    traits: Traits, depth: Field, x: Field, y: Field, generator: np.random.Generator
) -> dict[str, Field]:
    """Where each colour beyond the first lies, each (H, W) in [0, 1]; zero for colours that the lesion lacks.

    Symmetric lesions have them in rings around the centre, asymmetric ones on one side.
    """
    present = generator.choice(COLOURS, traits.colours - 1, replace=False, p=COLOUR_SHARES)
    patches = {colour: np.zeros_like(depth) for colour in COLOURS}
    side = generator.uniform(0, 2 * np.pi)
    for k, colour in enumerate(present):
        direction = side + k * 2.4 + generator.normal(0, 0.3)  # the golden angle keeps the patches apart
        along = (np.cos(direction) * x + np.sin(direction) * y) / (traits.diameter / 2)
        ring = 1 - np.abs(depth - generator.choice([0.25, 0.55, 0.9])) * 3
        lopsided = traits.asymmetry
        value = (
            (1 - lopsided) * ring
            + lopsided * (2.2 * along)
            + 0.45 * fractal_noise(x, y, traits.diameter / 3, 4, generator)
        )
        patches[colour] = smoothstep(value.astype(np.float32), 0.0, 0.9)
    return patches


def _structure(x: Field, y: Field, generator: np.random.Generator) -> Field:
    """Logarithm of the change of the pigment by its pattern: network, globules, or homogeneous. Returns: (H, W)."""
    kind = generator.choice(["network", "globules", "homogeneous"], p=[0.5, 0.3, 0.2])
    period = generator.uniform(0.35, 0.6)  # mm
    strength = generator.uniform(0.2, 0.5)
    if kind == "homogeneous":
        return np.zeros_like(x)
    cells = honeycomb(x, y, period, generator)
    here = smoothstep(noise(x, y, 3.0, generator), -1.0, 0.5)
    if kind == "network":
        return strength * here * (smoothstep(cells, 0.35, -0.35) * 2 - 1)
    return strength * here * (smoothstep(cells, 0.1, 0.7) * 2 - 0.6)
