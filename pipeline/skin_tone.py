"""How light the skin around a lesion is, from the picture alone: archives do not say."""

import numpy as np
from numpy.typing import NDArray

# Individual typology angle from which a tone begins, degrees, lightest first. Source: Chardon et al. 1991.
TONES = {"very light": 55.0, "light": 41.0, "intermediate": 28.0, "tan": 10.0, "brown": -30.0, "dark": -90.0}
BORDER = 0.8  # of half a side: nearer to the centre may be lesion
DARKEST = 40  # of 255: a pixel darker than that in its lightest channel is frame, hair or ink
TO_XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])  # IEC 61966-2-1
WHITE = np.array([0.9505, 1.0, 1.089])  # D65


def typology_angle(images: NDArray[np.uint8]) -> NDArray[np.float64]:
    """The individual typology angle in degrees, (N,): arctan((L* - 50) / b*) of the median colour near the border.

    Under a dermatoscope's own light the angle orders skin within one camera; it does not name a Fitzpatrick type.

    Args:
        images: packed, (N, H, W, 3) in [0, 255].

    Returns: (N,); NaN where no pixel near the border is skin.
    """
    size = images.shape[1]
    place = (np.arange(size) + 0.5) / size * 2 - 1
    near_border = np.hypot(*np.meshgrid(place, place)) > BORDER
    angles = np.full(len(images), np.nan)
    for number, image in enumerate(images):
        skin = image[near_border & (image.max(axis=2) > DARKEST)]
        if len(skin):
            lightness, yellow = _lightness_and_yellow(np.median(skin, axis=0))
            angles[number] = np.degrees(np.arctan2(lightness - 50, yellow))
    return angles


def tone(angle: float) -> str:
    """The name of the band; empty for NaN."""
    return next((name for name, least in TONES.items() if angle >= least), "")


def _lightness_and_yellow(colour: NDArray[np.float64]) -> tuple[float, float]:
    """L* and b* of CIELAB of an sRGB colour in [0, 255]; b* at least a little yellow, as skin is."""
    share = colour / 255
    linear = np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)
    ratio = TO_XYZ @ linear / WHITE
    cube = np.where(ratio > (6 / 29) ** 3, np.cbrt(ratio), ratio / (3 * (6 / 29) ** 2) + 4 / 29)
    return float(116 * cube[1] - 16), max(float(200 * (cube[1] - cube[2])), 1e-3)
