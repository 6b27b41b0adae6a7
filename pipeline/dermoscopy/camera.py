"""From skin to picture: the view, the light and the camera of a dermatoscope, a macro lens or a body scanner."""

from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from pipeline.dermoscopy.fields import Field, noise, smoothstep
from pipeline.dermoscopy.painting import Picture, blend

ImageType = Literal["dermoscopic", "clinical: close-up", "TBP tile: close-up"]

FIELD_MM = 13.0  # what the shorter side of a dermoscopic photograph shows at zoom 1
FIELD_FACTOR: dict[ImageType, float] = {"dermoscopic": 1.0, "clinical: close-up": 2.6, "TBP tile: close-up": 1.8}
OFF_CENTRE_SHARE = 0.06
SOFT_VIGNETTE_SHARE = 0.35
BLACK_CORNERS_SHARE = 0.2
CONTACT_PLATE_SHARE = 0.1


def camera_grid(size: int) -> tuple[Field, Field]:
    """The x and y of the pixel centres, each (size, 4/3 size): shorter sides from the centre, right and down."""
    width = round(size * 4 / 3)
    x = (np.arange(width, dtype=np.float32) + 0.5 - width / 2) / size
    y = (np.arange(size, dtype=np.float32) + 0.5 - size / 2) / size
    grid_x, grid_y = np.meshgrid(x, y)
    return grid_x, grid_y


def view(x: Field, y: Field, image_type: ImageType, generator: np.random.Generator) -> tuple[Field, Field]:
    """Camera coordinates to mm on the skin from the lesion's centre: a turn, a small zoom, a shift.

    The shift is small but for a few photographs, in which a large lesion leaves the field of view.
    """
    angle = generator.uniform(0, 2 * np.pi)
    scale = FIELD_MM * FIELD_FACTOR[image_type] * np.exp(generator.normal(0, 0.04))
    spread = 3.5 if generator.random() < OFF_CENTRE_SHARE else 1.0
    x = (x - spread * generator.normal(0, 0.04)) * scale
    y = (y - spread * generator.normal(0, 0.03)) * scale
    cosine, sine = np.cos(angle), np.sin(angle)
    return (x * cosine - y * sine).astype(np.float32), (x * sine + y * cosine).astype(np.float32)


def expose(picture: Picture, x: Field, y: Field, image_type: ImageType, generator: np.random.Generator) -> Picture:
    """Uneven light, the camera's white balance, exposure, saturation and contrast."""
    tilt = 0.08 if image_type == "dermoscopic" else 0.3  # a lamp beside the camera, not a ring around the lens
    slope_x, slope_y = generator.normal(0, tilt, 2)
    light = 1 + slope_x * x + slope_y * y + 0.03 * noise(x, y, 0.9, generator)
    picture = picture * light[..., None] * np.exp(generator.normal(0, [0.04, 0.02, 0.06])).astype(np.float32)
    gray = picture.mean(axis=2, keepdims=True)
    picture = gray + np.float32(generator.normal(1.0, 0.08)) * (picture - gray)
    contrast = np.exp(generator.normal(0.02, 0.06))
    return np.float32(np.exp(generator.normal(0.05, 0.06))) * np.maximum(picture, 0) ** np.float32(contrast)


def add_vignette(picture: Picture, x: Field, y: Field, generator: np.random.Generator) -> Picture:
    """None, a gentle darkening outwards, the black corners of a round field of view, or the rim of a contact plate.

    Args:
        x, y: (H, W), shorter sides from the centre of the picture.
    """
    black, soft, plate = np.cumsum([BLACK_CORNERS_SHARE, SOFT_VIGNETTE_SHARE, CONTACT_PLATE_SHARE])
    kind = generator.random()
    centre_x, centre_y = generator.normal(0, 0.03, 2).astype(np.float32)
    distance = np.hypot(x - centre_x, y - centre_y)
    if kind < black:
        radius = generator.uniform(0.5, 0.68)
        inner = radius - generator.uniform(0.01, 0.1)
        light = smoothstep(distance, radius + 0.01, inner)
        return picture * ((0.02 + 0.98 * light) * (1 - 0.25 * smoothstep(distance, inner - 0.25, inner)))[..., None]
    if kind < soft:
        return picture * (1 - generator.uniform(0.2, 0.6) * distance**2)[..., None]
    if kind < plate:
        radius = generator.uniform(0.5, 0.6)
        rim = smoothstep(np.abs(distance - np.float32(radius)), 0.012, 0.0)
        picture = blend(picture, (0.75, 0.73, 0.74), 0.2 * rim)
        return picture * (1 - 0.5 * smoothstep(distance, radius + 0.06, radius + 0.12))[..., None]
    return picture


def develop(picture: Picture, image_type: ImageType, generator: np.random.Generator) -> NDArray[np.uint8]:
    """Focus, sensor noise and eight bits. Returns: (H, W, 3), RGB in [0, 255]."""
    height, width = picture.shape[:2]
    grain = np.float32(generator.uniform(0.002, 0.012)) * generator.standard_normal(picture.shape, dtype=np.float32)
    pixels = np.clip(np.rint((picture + grain) * 255), 0, 255).astype(np.uint8)
    blur = height * abs(generator.normal(0, 0.002)) * FIELD_FACTOR[image_type]  # px
    image = Image.fromarray(pixels).filter(ImageFilter.GaussianBlur(blur))
    if image_type == "TBP tile: close-up":  # cut from a photograph of the whole body: few pixels
        image = image.resize((width // 3, height // 3)).resize((width, height))
    return np.asarray(image)
