"""One photograph of one lesion of one patient."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.dermoscopy import artefacts
from pipeline.dermoscopy.camera import FIELD_FACTOR, FIELD_MM, ImageType, camera_grid, develop, expose, view
from pipeline.dermoscopy.fields import Field, fractal_noise
from pipeline.dermoscopy.hair import add_hair
from pipeline.dermoscopy.lesion import draw_outline, inner_depth
from pipeline.dermoscopy.painting import Picture, blend
from pipeline.dermoscopy.pigment import Pigment, lay_pigment
from pipeline.dermoscopy.skin import BLOOD, MELANIN, Skin, draw_skin, skin_densities, skin_tone
from pipeline.dermoscopy.traits import Traits

BLACK = np.array([1.0, 1.05, 1.1], dtype=np.float32)  # nats per unit density, like MELANIN
VEIL = np.array([0.44, 0.46, 0.505], dtype=np.float32)  # of a film on white; skin dims it


@dataclass(frozen=True)
class Scene:
    """All that a photograph shows. Photographs of a lesion share its seed, lesions of a patient the patient's."""

    traits: Traits
    patient_seed: int
    lesion_seed: int
    photograph_seed: int
    image_type: ImageType = "dermoscopic"


def photograph(scene: Scene, size: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Draws a scene.

    Args:
        size: px, the shorter side; the longer one is 4/3 of it.

    Returns: the image (H, W, 3), RGB in [0, 255], and the lesion's mask (H, W), 0 or 255.
    """
    skin = draw_skin(np.random.default_rng(scene.patient_seed))
    generator = np.random.default_rng(scene.photograph_seed)
    x, y = camera_grid(size)
    lesion_x, lesion_y = view(x, y, scene.image_type, generator)
    picture, inside = _lesion_on_skin(scene, skin, lesion_x, lesion_y)
    picture = _add_artefacts(picture, scene.image_type, skin, x, y, generator)
    picture = expose(picture, x, y, scene.image_type, generator)
    return develop(picture, scene.image_type, generator), np.where(inside, 255, 0).astype(np.uint8)


def _lesion_on_skin(scene: Scene, skin: Skin, x: Field, y: Field) -> tuple[Picture, NDArray[np.bool_]]:
    """Returns: the picture (H, W, 3) under even light, and what is inside the lesion's outline, (H, W)."""
    generator, skin_generator = np.random.default_rng(scene.lesion_seed).spawn(2)  # the traits have no say in the skin
    outline = draw_outline(scene.traits, generator)
    depth = inner_depth(outline, scene.traits.border, x, y, generator)
    pigment = lay_pigment(scene.traits, depth, x, y, generator)
    melanin, blood = skin_densities(skin, x, y, skin_generator)
    tone = skin_tone(skin.fitzpatrick)
    picture = _absorb(tone, melanin, blood, pigment)
    haze = np.clip(1 + np.float32(0.35) * fractal_noise(x, y, 1.2, 3, generator), 0.2, 1.4)
    veil = VEIL * np.float32(generator.uniform(0.7, 1.05)) * np.sqrt(tone.mean())
    picture = blend(picture, veil, pigment.veil * haze)
    return blend(picture, np.sqrt(tone), 0.5 * pigment.scar * haze), depth > 0


def _absorb(tone: Field, melanin: Field, blood: Field, pigment: Pigment) -> Picture:
    """Beer and Lambert's law over the tone of the skin. Returns: (H, W, 3), RGB in [0, 1]."""
    density = melanin[..., None] * MELANIN + (blood + pigment.blood)[..., None] * BLOOD
    density += pigment.melanin[..., None] * pigment.melanin_colour + pigment.black[..., None] * BLACK
    return tone * np.exp(-density)


def _add_artefacts(
    picture: Picture, image_type: ImageType, skin: Skin, x: Field, y: Field, generator: np.random.Generator
) -> Picture:
    """Hair whatever the camera; gel, ink and ruler under a dermatoscope, and glare where there is no gel."""
    density = skin.hair / FIELD_FACTOR[image_type]
    if image_type != "dermoscopic":
        return artefacts.add_glare(add_hair(picture, density, generator), x, y, generator)
    picture = artefacts.add_ink(picture, x, y, generator)
    picture = add_hair(picture, density, generator)
    picture = artefacts.add_ruler(picture, len(picture) / FIELD_MM, generator)
    picture = artefacts.add_plaster(picture, x, y, generator)
    picture = artefacts.add_glare(picture, x, y, generator)
    return artefacts.add_bubbles(picture, x, y, generator)
