"""What pigment is where in a lesion, driven by its traits."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.dermoscopy.fields import Field, fractal_noise, noise, smoothstep
from pipeline.dermoscopy.skin import MELANIN, vessel_lines
from pipeline.dermoscopy.structures import dots, draw_pattern
from pipeline.dermoscopy.traits import Traits

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


def lay_pigment(traits: Traits, depth: Field, x: Field, y: Field, generator: np.random.Generator) -> Pigment:
    """Light brown everywhere, the lesion's other colours in patches, and a pattern over all of it.

    Args:
        depth: (H, W), as from ``inner_depth``.
        x, y: (H, W), mm from the centre of the lesion.
    """
    clumps = fractal_noise(x, y, 1.6, 4, generator)
    pattern = draw_pattern(x, y, generator)
    edge = _edge(traits, depth, pattern, x, y, generator)
    patches = _colour_patches(traits, depth, x, y, generator)
    veil = generator.uniform(0.55, 0.8) * patches["blue gray"] * edge
    scar = 0.8 * patches["white"] * edge
    grain = generator.uniform(0.05, 0.2) * noise(x, y, generator.uniform(0.2, 0.35), generator)
    shade = np.exp(generator.uniform(0.12, 0.32) * clumps + grain + pattern * (1 - 0.8 * veil))
    brown = generator.uniform(0.55, 1.0) + generator.uniform(-0.1, 0.6) * smoothstep(depth, 0.0, 0.8)
    melanin = (brown + 1.1 * patches["dark brown"] + 0.5 * patches["blue gray"] + 0.4 * patches["black"]) * shade
    return Pigment(
        melanin=melanin * edge * (1 - scar),
        melanin_colour=MELANIN * np.exp(generator.normal(0, [0.14, 0.05, 0.12])).astype(np.float32),
        blood=(generator.uniform(0.0, 0.25) + _vascular(patches["red"], x, y, generator)) * edge,
        black=generator.uniform(0.8, 1.3) * patches["black"] * edge * shade + _peppering(scar, x, y, generator),
        veil=veil,
        scar=scar,
    )


def _edge(traits: Traits, depth: Field, pattern: Field, x: Field, y: Field, generator: np.random.Generator) -> Field:
    """How much of the pigment is there: half on the outline; it ends abruptly or fades, differently round the lesion.

    The dark parts of the pattern reach farther out than the pale ones. Returns: (H, W) in [0, 1].
    """
    radius = traits.diameter / 2
    fade = generator.uniform(0.4, 1.0) * (1.1 - 0.7 * traits.border) * min(radius, 2.0)  # mm
    local = np.float32(fade) * np.exp(np.float32(0.35) * noise(x, y, 4.0, generator))
    margin = depth * np.float32(radius) / local + np.float32(0.25) * np.clip(pattern, -1, 1)
    return smoothstep(margin, -0.6, 0.6)


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
            + 0.4 * fractal_noise(x, y, traits.diameter / 3, 3, generator)
        )
        patches[colour] = smoothstep(value.astype(np.float32), -0.1, 1.0)
    return patches


def _vascular(red: Field, x: Field, y: Field, generator: np.random.Generator) -> Field:
    """Blood in the red parts: a milky film with vessels in it. Returns: (H, W), density."""
    if not red.any():
        return red
    return red * (np.float32(0.9) + np.float32(0.9) * vessel_lines(x, y, 0.9, generator))


def _peppering(scar: Field, x: Field, y: Field, generator: np.random.Generator) -> Field:
    """The gray dots that regression leaves in the scar. Returns: (H, W), density of black."""
    if not scar.any():
        return scar
    return scar * generator.uniform(0.2, 0.9) * dots(x, y, 0.45, generator)
