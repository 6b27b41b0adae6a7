"""Skin around the lesion: tone, mottling, freckles, furrows, vessels."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.dermoscopy.fields import Field, fractal_noise, noise, smoothstep

# sRGB of skin under a dermatoscope, Fitzpatrick types I to VI, and how often each is drawn; chosen by eye
TONES = np.array(
    [[234, 221, 217], [226, 208, 200], [214, 187, 172], [188, 150, 126], [146, 106, 84], [104, 74, 60]],
    dtype=np.float32,
)
TONE_SHARES = (0.22, 0.28, 0.22, 0.13, 0.09, 0.06)  # archives hold little dark skin

# How much of red, green and blue a layer of unit density takes away, in nats
MELANIN = np.array([0.32, 0.74, 1.10], dtype=np.float32)
BLOOD = np.array([0.12, 0.62, 0.50], dtype=np.float32)

FRECKLED_SHARE = 0.3
VESSELS_SHARE = 0.2
HAIRY_SHARE = 0.45


@dataclass(frozen=True)
class Skin:
    """What all photographs of a patient share."""

    fitzpatrick: float  # 1 to 6, continuous
    redness: float  # density of blood
    mottling: float  # amplitude of large blotches
    furrows: float  # density of the fine lines
    freckles: float  # density of melanin in freckles
    vessels: float  # density of blood in visible vessels
    hair: float  # 0 none to 1 dense


def draw_skin(tone_shares: Sequence[float], generator: np.random.Generator) -> Skin:
    """The skin of a patient from a population with these shares of the six types of Fitzpatrick, I to VI."""
    fitzpatrick = 1 + generator.choice(6, p=tone_shares) + generator.uniform(-0.5, 0.5)
    return Skin(
        fitzpatrick=float(np.clip(fitzpatrick, 1, 6)),
        redness=generator.gamma(1.2, 0.07),
        mottling=generator.gamma(2.5, 0.006),
        furrows=generator.uniform(0.0, 0.05),
        freckles=generator.uniform(0.08, 0.28) * (generator.random() < FRECKLED_SHARE),
        vessels=generator.uniform(0.1, 0.4) * (generator.random() < VESSELS_SHARE),
        hair=generator.beta(1, 2) * (generator.random() < HAIRY_SHARE),
    )


def skin_tone(fitzpatrick: float) -> Field:
    """Between the tones of neighbouring types. Returns: (3,), RGB in [0, 1]."""
    types = np.arange(1, 7)
    return np.array([np.interp(fitzpatrick, types, TONES[:, c]) for c in range(3)], dtype=np.float32) / 255


def skin_densities(skin: Skin, x: Field, y: Field, generator: np.random.Generator) -> tuple[Field, Field]:
    """Melanin and blood over the tone of the skin.

    Args:
        x, y: (H, W), mm from the centre of the lesion.

    Returns: melanin and blood, each (H, W), in the unit of ``MELANIN`` and ``BLOOD``; may be slightly negative.
    """
    blotches = fractal_noise(x, y, 2.4, 3, generator)
    lines = smoothstep(np.abs(noise(x, y, 0.6, generator)), 0.5, 0.0) * (1 + noise(x, y, 2.0, generator))
    melanin = skin.mottling * blotches + skin.furrows * lines + 0.012 * noise(x, y, 0.3, generator)
    if skin.freckles:
        melanin = melanin + skin.freckles * smoothstep(fractal_noise(x, y, 1.8, 3, generator), 0.9, 3.0)
    blood = skin.redness + skin.mottling * fractal_noise(x, y, 1.4, 2, generator)
    if skin.vessels:
        blood = blood + skin.vessels * vessel_lines(x, y, 2.2, generator)
    return melanin, blood


def vessel_lines(x: Field, y: Field, period: float, generator: np.random.Generator) -> Field:
    """Winding lines that come and go.

    Args:
        x, y: (H, W), coordinates.
        period: typical distance of two lines, in the unit of the coordinates.

    Returns: (H, W) in [0, 1].
    """
    here = smoothstep(noise(x, y, 1.6 * period, generator), -0.2, 0.9)
    return smoothstep(np.abs(fractal_noise(x, y, period, 2, generator)), 0.1, 0.0) * here
