"""One photograph of one lesion of one patient."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.dermoscopy import artefacts
from pipeline.dermoscopy.fields import Field, fractal_noise, noise
from pipeline.dermoscopy.lesion import Pigment, draw_outline, inner_depth, lay_pigment
from pipeline.dermoscopy.skin import BLOOD, MELANIN, Skin, draw_skin, skin_densities, skin_tone
from pipeline.dermoscopy.traits import Traits

FIELD_MM = 14.0  # what the shorter side of a photograph shows at zoom 1
BLACK = np.array([1.0, 1.05, 1.1], dtype=np.float32)  # nats per unit density, like MELANIN
VEIL = np.array([0.56, 0.58, 0.69], dtype=np.float32)  # of a film on white; skin dims it


@dataclass(frozen=True)
class Scene:
    """All that a photograph shows. Photographs of a lesion share its seed, lesions of a patient the patient's."""

    traits: Traits
    patient_seed: int
    lesion_seed: int
    photograph_seed: int


def photograph(scene: Scene, size: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Draws a scene.

    Args:
        size: px, the shorter side; the longer one is 4/3 of it.

    Returns: the image (H, W, 3), RGB in [0, 255], and the lesion's mask (H, W), 0 or 255.
    """
    skin = draw_skin(np.random.default_rng(scene.patient_seed))
    generator = np.random.default_rng(scene.photograph_seed)
    x, y = camera_grid(size)
    lesion_x, lesion_y = _view(x, y, generator)
    picture, inside = _lesion_on_skin(scene, skin, lesion_x, lesion_y)
    picture = _add_artefacts(picture, skin, x, y, generator)
    picture = _expose(picture, x, y, generator)
    picture = picture + generator.normal(0, generator.uniform(0.002, 0.012), picture.shape)
    image = np.clip(np.rint(picture * 255), 0, 255).astype(np.uint8)
    return image, np.where(inside, 255, 0).astype(np.uint8)


def camera_grid(size: int) -> tuple[Field, Field]:
    """The x and y of the pixel centres, each (size, 4/3 size): shorter sides from the centre, right and down."""
    width = round(size * 4 / 3)
    x = (np.arange(width, dtype=np.float32) + 0.5 - width / 2) / size
    y = (np.arange(size, dtype=np.float32) + 0.5 - size / 2) / size
    grid_x, grid_y = np.meshgrid(x, y)
    return grid_x, grid_y


def _view(x: Field, y: Field, generator: np.random.Generator) -> tuple[Field, Field]:
    """Camera coordinates to mm on the skin from the lesion's centre: a turn, a small shift, a small zoom."""
    angle = generator.uniform(0, 2 * np.pi)
    scale = FIELD_MM * np.exp(generator.normal(0, 0.04))
    x = (x - generator.normal(0, 0.04)) * scale
    y = (y - generator.normal(0, 0.03)) * scale
    cosine, sine = np.cos(angle), np.sin(angle)
    return (x * cosine - y * sine).astype(np.float32), (x * sine + y * cosine).astype(np.float32)


def _lesion_on_skin(scene: Scene, skin: Skin, x: Field, y: Field) -> tuple[artefacts.Picture, NDArray[np.bool_]]:
    """Returns: the picture (H, W, 3) under even light, and what is inside the lesion's outline, (H, W)."""
    generator = np.random.default_rng(scene.lesion_seed)
    outline = draw_outline(scene.traits, generator)
    depth = inner_depth(outline, scene.traits.border, x, y, generator)
    pigment = lay_pigment(scene.traits, depth, x, y, generator)
    melanin, blood = skin_densities(skin, x, y, generator)
    tone = skin_tone(skin.fitzpatrick)
    picture = _absorb(tone, melanin, blood, pigment)
    haze = 1 + 0.15 * fractal_noise(x, y, 1.5, 2, generator)
    picture = artefacts.blend(picture, VEIL * np.sqrt(tone.mean()), pigment.veil * haze)
    return artefacts.blend(picture, np.sqrt(tone), 0.5 * pigment.scar * haze), depth > 0


def _absorb(tone: Field, melanin: Field, blood: Field, pigment: Pigment) -> artefacts.Picture:
    """Beer and Lambert's law over the tone of the skin. Returns: (H, W, 3), RGB in [0, 1]."""
    density = melanin[..., None] * MELANIN + (blood + pigment.blood)[..., None] * BLOOD
    density += pigment.melanin[..., None] * pigment.melanin_colour + pigment.black[..., None] * BLACK
    return tone * np.exp(-density)


def _add_artefacts(
    picture: artefacts.Picture, skin: Skin, x: Field, y: Field, generator: np.random.Generator
) -> artefacts.Picture:
    picture = artefacts.add_ink(picture, x, y, generator)
    picture = artefacts.add_hair(picture, skin.hair, generator)
    picture = artefacts.add_ruler(picture, len(picture) / FIELD_MM, generator)
    return artefacts.add_bubbles(picture, x, y, generator)


def _expose(picture: artefacts.Picture, x: Field, y: Field, generator: np.random.Generator) -> artefacts.Picture:
    """Uneven light, the camera's exposure and white balance, and the vignette."""
    slope_x, slope_y = generator.normal(0, 0.08, 2)
    light = 1 + slope_x * x + slope_y * y + 0.03 * noise(x, y, 0.9, generator)
    balance = np.exp(generator.normal(0, [0.03, 0.03, 0.06]) + generator.normal(0.03, 0.07)).astype(np.float32)
    return artefacts.add_vignette(picture * light[..., None] * balance, x, y, generator)
