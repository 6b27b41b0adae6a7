"""One photograph of one lesion of one patient."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipeline.dermoscopy.artefacts import add_bubbles, add_glare, add_ink, add_plaster, add_ruler
from pipeline.dermoscopy.camera import (
    FIELD_FACTOR,
    FIELD_MM,
    ImageType,
    add_vignette,
    camera_grid,
    develop,
    expose,
    view,
)
from pipeline.dermoscopy.fields import Field, fractal_noise
from pipeline.dermoscopy.hair import add_hair
from pipeline.dermoscopy.lesion import draw_outline, inner_depth
from pipeline.dermoscopy.painting import Picture, blend
from pipeline.dermoscopy.pigment import Pigment, lay_pigment
from pipeline.dermoscopy.skin import BLOOD, MELANIN, TONE_SHARES, Skin, draw_skin, skin_densities, skin_tone
from pipeline.dermoscopy.traits import Traits

BLACK = np.array([1.0, 1.05, 1.1], dtype=np.float32)  # nats per unit density, like MELANIN
ARTEFACTS = ("hair", "ruler", "ink", "plaster", "glare", "bubbles", "frame")
VISIBLE = 0.08  # of the whole range: a pixel that an artefact changes by less does not show it
DARKENED = 0.7  # share of its light that a pixel of the frame has lost at least
VEIL = np.array([0.44, 0.46, 0.505], dtype=np.float32)  # of a film on white; skin dims it


@dataclass(frozen=True)
class Scene:
    """All that a photograph shows. Photographs of a lesion share its seed, lesions of a patient the patient's."""

    traits: Traits
    patient_seed: int
    lesion_seed: int
    photograph_seed: int
    image_type: ImageType = "dermoscopic"
    tone_shares: tuple[float, ...] = TONE_SHARES  # of the population that the patient is from


class Photograph(NamedTuple):
    """A picture and what it shows.

    Attributes:
        image: (H, W, 3), RGB in [0, 255].
        mask: (H, W), 255 within the lesion's outline, else 0.
        artefacts: for each of ARTEFACTS the pixels that show it, (H, W).
    """

    image: NDArray[np.uint8]
    mask: NDArray[np.uint8]
    artefacts: dict[str, NDArray[np.bool_]]


def photograph(scene: Scene, size: int) -> Photograph:
    """Draws a scene.

    Args:
        size: px, the shorter side; the longer one is 4/3 of it.
    """
    skin = draw_skin(scene.tone_shares, np.random.default_rng(scene.patient_seed))
    generator = np.random.default_rng(scene.photograph_seed)
    x, y = camera_grid(size)
    lesion_x, lesion_y = view(x, y, scene.image_type, generator)
    picture, inside = _lesion_on_skin(scene, skin, lesion_x, lesion_y)
    artefacts = dict.fromkeys(ARTEFACTS, np.zeros(x.shape, dtype=np.bool_))
    for name, add in _artefacts(scene.image_type, skin, x, y, generator).items():
        plain, picture = picture, add(picture)
        artefacts[name] = np.abs(picture - plain).max(axis=2) > VISIBLE
    picture = expose(picture, x, y, scene.image_type, generator)
    if scene.image_type == "dermoscopic":
        plain, picture = picture, add_vignette(picture, x, y, generator)
        artefacts["frame"] = picture.mean(axis=2) < (1 - DARKENED) * plain.mean(axis=2)
    return Photograph(
        develop(picture, scene.image_type, generator), np.where(inside, 255, 0).astype(np.uint8), artefacts
    )


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


def _artefacts(
    image_type: ImageType, skin: Skin, x: Field, y: Field, generator: np.random.Generator
) -> dict[str, Callable[[Picture], Picture]]:
    """What is laid over the picture, in this order: hair whatever the camera; gel, ink and ruler under a dermatoscope,
    and glare where there is no gel.
    """
    hair = partial(add_hair, density=skin.hair / FIELD_FACTOR[image_type], generator=generator)
    glare = partial(add_glare, x=x, y=y, generator=generator)
    if image_type != "dermoscopic":
        return {"hair": hair, "glare": glare}
    return {
        "ink": partial(add_ink, x=x, y=y, generator=generator),
        "hair": hair,
        "ruler": partial(add_ruler, pixels_per_mm=len(x) / FIELD_MM, generator=generator),
        "plaster": partial(add_plaster, x=x, y=y, generator=generator),
        "glare": glare,
        "bubbles": partial(add_bubbles, x=x, y=y, generator=generator),
    }
