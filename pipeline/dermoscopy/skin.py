"""Skin around the lesion: tone, mottling, vessels, texture."""

from dataclasses import dataclass

import numpy as np

from pipeline.dermoscopy.fields import Field, fractal_noise, noise, smoothstep

# sRGB of skin under a dermatoscope, Fitzpatrick types I to VI, and how often each is drawn; chosen by eye
TONES = np.array(
    [[238, 206, 196], [228, 190, 172], [214, 168, 140], [184, 134, 102], [140, 95, 70], [96, 64, 50]], dtype=np.float32
)
TONE_SHARES = (0.22, 0.28, 0.22, 0.13, 0.09, 0.06)

# How much of red, green and blue a layer of unit density takes away, in nats
MELANIN = np.array([0.46, 0.76, 1.10], dtype=np.float32)
BLOOD = np.array([0.12, 0.62, 0.50], dtype=np.float32)


@dataclass(frozen=True)
class Skin:
    """What all photographs of a patient share."""

    fitzpatrick: float  # 1 to 6, continuous
    redness: float  # density of blood
    mottling: float  # amplitude of large blotches
    texture: float  # amplitude of fine lines
    vessels: float  # density of blood in visible vessels
    hair: float  # 0 none to 1 dense


def draw_skin(generator: np.random.Generator) -> Skin:
    fitzpatrick = 1 + generator.choice(6, p=TONE_SHARES) + generator.uniform(-0.5, 0.5)
    return Skin(
        fitzpatrick=float(np.clip(fitzpatrick, 1, 6)),
        redness=generator.gamma(1.2, 0.09),
        mottling=generator.gamma(2.0, 0.02),
        texture=generator.uniform(0.01, 0.04),
        vessels=generator.uniform(0.1, 0.4) * (generator.random() < 0.3),
        hair=generator.beta(1, 2) * (generator.random() < 0.45),
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
    blotches = skin.mottling * fractal_noise(x, y, 3.0, 3, generator)
    lines = skin.texture * fractal_noise(x, y, 0.35, 2, generator)
    flush = skin.redness + 0.8 * skin.mottling * fractal_noise(x, y, 2.2, 2, generator)
    if skin.vessels:
        ridge = np.abs(fractal_noise(x, y, 2.5, 2, generator))
        flush = flush + skin.vessels * smoothstep(ridge, 0.12, 0.0) * smoothstep(noise(x, y, 4.0, generator), -0.2, 0.8)
    return blotches + lines, flush
