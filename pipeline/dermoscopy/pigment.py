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
FILMS = ("red", "blue gray", "white")  # without a rim, unlike clods of pigment


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
    pattern = draw_pattern(x, y, generator)
    side = generator.uniform(0, 2 * np.pi)
    along = _across(traits, side, x, y)
    edge = _edge(traits, depth, pattern, along, x, y, generator)
    patches = _colour_patches(traits, depth, side, x, y, generator)
    veil = generator.uniform(0.6, 0.8) * patches["blue gray"] * edge * smoothstep(depth, -0.1, 0.35)
    scar = 0.85 * patches["white"] * edge
    pale = (1 - scar) * (1 - 0.55 * patches["red"])
    shade = np.exp(_unevenness(traits, depth, along, x, y, generator) + pattern * (1 - 0.5 * veil))
    brown = generator.lognormal(np.log(0.65), 0.13) * (1 + generator.uniform(-0.1, 0.8) * smoothstep(depth, 0.0, 0.8))
    dark = 1.3 * patches["dark brown"] + 0.9 * patches["blue gray"] + 0.6 * patches["black"]
    return Pigment(
        melanin=(brown + dark) * shade * edge * pale,
        melanin_colour=MELANIN * np.exp(generator.normal(0, [0.2, 0.04, 0.08])).astype(np.float32),
        blood=(generator.uniform(0.0, 0.06) + _vascular(patches["red"], x, y, generator)) * edge,
        black=(0.15 * dark + generator.uniform(0.9, 1.2) * patches["black"]) * edge * pale * shade
        + _peppering(scar, x, y, generator),
        veil=veil,
        scar=scar,
    )


def _across(traits: Traits, side: float, x: Field, y: Field) -> Field:
    """From -1 on one margin of the lesion through 0 at its centre to 1 on the other, in the direction of ``side``."""
    return np.clip((np.cos(side) * x + np.sin(side) * y) / (traits.diameter / 2), -1, 1).astype(np.float32)


def _unevenness(
    traits: Traits, depth: Field, along: Field, x: Field, y: Field, generator: np.random.Generator
) -> Field:
    """Logarithm of the change of the pigment by clumps and grain, and towards one side of an asymmetric lesion.

    An irregular border breaks the pigment up into clumps near the outline. Returns: (H, W).
    """
    clumps = fractal_noise(x, y, 1.6, 4, generator)
    clumped = generator.uniform(0.15, 0.22) + 0.25 * traits.border * smoothstep(depth, 0.4, 0.0)
    grain = generator.uniform(0.05, 0.2) * noise(x, y, generator.uniform(0.2, 0.35), generator)
    return clumped * clumps + grain + np.float32(0.8 * traits.asymmetry) * along


def _edge(
    traits: Traits, depth: Field, pattern: Field, along: Field, x: Field, y: Field, generator: np.random.Generator
) -> Field:
    """How much of the pigment is there: half on the outline; it ends abruptly or fades, differently round the lesion.

    The dark parts of the pattern reach farther out than the pale ones; the pale side of an asymmetric lesion fades
    more, and of an irregular border some stretches end abruptly, others hardly. Returns: (H, W) in [0, 1].
    """
    radius = traits.diameter / 2
    fade = generator.uniform(0.5, 0.75) * (1.1 - 0.5 * traits.border) * min(radius, 2.0)  # mm
    uneven = np.float32(0.2 + 0.4 * traits.border) * noise(x, y, 0.8 * traits.diameter, generator)
    local = np.float32(fade) * np.exp(np.minimum(uneven - np.float32(0.8 * traits.asymmetry) * along, np.float32(0.8)))
    margin = depth * np.float32(radius) / local + np.float32(0.25) * np.clip(pattern, -1, 1)
    return smoothstep(margin, -0.6, 0.6)


def _colour_patches(
    traits: Traits, depth: Field, side: float, x: Field, y: Field, generator: np.random.Generator
) -> dict[str, Field]:
    """Where each colour beyond the first lies, each (H, W) in [0, 1]; zero for colours that the lesion lacks.

    Symmetric lesions have them in rings around the centre, asymmetric ones in patches on one side.
    """
    present = generator.choice(COLOURS, traits.colours - 1, replace=False, p=COLOUR_SHARES)
    patches = {colour: np.zeros_like(depth) for colour in COLOURS}
    for k, colour in enumerate(present):
        direction = side + k * 2.4 + generator.normal(0, 0.3)  # the golden angle keeps the patches apart
        level = 0.8 if colour == "blue gray" else generator.choice([0.25, 0.55, 0.9])  # a veil lies in the interior
        ring = 1 - 3 * np.abs(depth - level)
        patch = 0.9 * (1 - _away(traits, direction, x, y))
        period, octaves, softness = (1 / 2, 2, 0.2) if colour in FILMS else (1 / 3, 3, 0.0)
        rough = fractal_noise(x, y, period * traits.diameter, octaves, generator)
        value = (1 - traits.asymmetry) * ring + traits.asymmetry * patch + 0.4 * rough
        patches[colour] = smoothstep(value.astype(np.float32), -0.1 - softness, 0.9 + softness)
    return patches


def _away(traits: Traits, direction: float, x: Field, y: Field) -> Field:
    """Distance from a point halfway to the margin, 1 at three quarters of the lesion's radius. Returns: (H, W)."""
    radius = traits.diameter / 2
    centre_x, centre_y = 0.55 * radius * np.cos(direction), 0.55 * radius * np.sin(direction)
    return np.hypot(x - np.float32(centre_x), y - np.float32(centre_y)) / np.float32(0.75 * radius)


def _vascular(red: Field, x: Field, y: Field, generator: np.random.Generator) -> Field:
    """Blood in the red parts: a milky film with vessels in it. Returns: (H, W), density."""
    if not red.any():
        return red
    return red * (np.float32(0.6) + np.float32(0.45) * vessel_lines(x, y, 0.9, generator))


def _peppering(scar: Field, x: Field, y: Field, generator: np.random.Generator) -> Field:
    """The gray dots that regression leaves in the scar. Returns: (H, W), density of black."""
    if not scar.any():
        return scar
    return scar * generator.uniform(0.2, 0.5) * dots(x, y, 0.45, generator)
