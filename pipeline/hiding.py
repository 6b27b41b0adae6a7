"""Images with the lesion covered: what a classifier still knows then, it knows from somewhere else."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import binary_dilation

Images = NDArray[np.uint8]  # (N, H, W, C) in [0, 255]
CENTRE, BORDER = 0.6, 0.9  # of half a side: what lies nearer to the middle is covered, and what is left as the border
MARGIN = 0.03  # of a side: how far the cover goes beyond a mask


def lesion_hidden(images: Images, masks: NDArray[np.uint8] | None) -> Images:
    """A disc in the middle, and the mask with a margin, in the colour of the border.

    The disc is there where a mask is known too: a cover with the lesion's outline would show how large and how ragged
    it is.

    Args:
        masks: (N, H, W), 0 outside the lesion; None: not known.
    """
    return _covered(images, _from_centre(images) < CENTRE, masks)


def border_only(images: Images, masks: NDArray[np.uint8] | None) -> Images:
    """All but the corners and the edge, and the mask with a margin, in the colour of what is left."""
    return _covered(images, _from_centre(images) < BORDER, masks)


VIEWS: dict[str, Callable[[Images, NDArray[np.uint8] | None], Images]] = {
    "border_only": border_only,
    "lesion_hidden": lesion_hidden,
}


def _from_centre(images: Images) -> NDArray[np.float64]:
    place = (np.arange(images.shape[1]) + 0.5) / images.shape[1] * 2 - 1
    return np.asarray(np.hypot(*np.meshgrid(place, place)))


def _covered(images: Images, disc: NDArray[np.bool_], masks: NDArray[np.uint8] | None) -> Images:
    result = np.array(images)
    margin = max(round(MARGIN * images.shape[1]), 1)
    for number, image in enumerate(result):
        cover = disc
        if masks is not None and masks[number].any():
            cover = disc | binary_dilation(masks[number] > 0, iterations=margin)
        left = image[~cover] if not cover.all() else image.reshape(-1, image.shape[2])
        image[cover] = np.median(left, axis=0)
    return result
