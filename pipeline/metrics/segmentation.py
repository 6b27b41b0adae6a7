"""Scores of masks, of a slice and of a patient.

Empty masks: one that is predicted empty is right (Dice and IoU 1, distance 0); where only one of the two is empty,
nothing overlaps (0, 0) and the distance is the picture's diagonal, as nothing can be farther. Sensitivity is of masks
that are not empty; of an empty one it is NaN.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import binary_erosion, distance_transform_edt

Masks = NDArray[np.bool_]  # (N, H, W), or (H, W) where a single one is asked for
Scores = NDArray[np.float64]
PERCENTILE = 95


def dice(predicted: Masks, true: Masks) -> Scores:
    """2 |P and T| / (|P| + |T|) of each slice, (N,). Source: Dice 1945."""
    both, either = _areas(predicted, true)
    return _ratio(2 * both, both + either)


def iou(predicted: Masks, true: Masks) -> Scores:
    """|P and T| / |P or T| of each slice, (N,). Source: Jaccard 1912."""
    return _ratio(*_areas(predicted, true))


def sensitivity(predicted: Masks, true: Masks) -> Scores:
    """|P and T| / |T| of each slice, (N,)."""
    area = true.sum(axis=(1, 2))
    both, _ = _areas(predicted, true)
    return np.where(area > 0, both / np.maximum(area, 1), np.nan)


def hausdorff_95(predicted: Masks, true: Masks) -> Scores:
    """How far the outlines are apart, in px: of each slice (N,), the larger of the two directed 95th percentiles.

    Outlines are the pixels of a mask with a neighbour, above, below or beside, outside of it or of the picture.
    Source: Huttenlocher et al. 1993, the partial distance.
    """
    return np.array([_distance(*pair) for pair in zip(predicted, true, strict=True)])


def patient_dice(predicted: Masks, true: Masks, patient: NDArray[np.int64]) -> Scores:
    """Dice of all slices of a patient together, as of a volume: (P,) in the order of the patients' numbers.

    As Buda et al. 2019 score a patient. A slice without a tumour counts by what is wrongly marked in it.

    Args:
        patient: (N,), whose each slice is.
    """
    both, either = _areas(predicted, true)
    _, member = np.unique(patient, return_inverse=True)
    both, either = (np.bincount(member, weights=area).astype(np.float64) for area in (both, either))
    return _ratio(2 * both, both + either)


SLICE_SCORES: dict[str, Callable[[Masks, Masks], Scores]] = {
    "dice": dice,
    "iou": iou,
    "hausdorff_95": hausdorff_95,
    "sensitivity": sensitivity,
}


def _areas(predicted: Masks, true: Masks) -> tuple[Scores, Scores]:
    """Of the overlap and of the union, in px, (N,) each."""
    return (predicted & true).sum(axis=(1, 2), dtype=np.float64), (predicted | true).sum(axis=(1, 2), dtype=np.float64)


def _ratio(part: Scores, whole: Scores) -> Scores:
    """1 where both are 0: both masks are empty."""
    return np.where(whole > 0, part / np.maximum(whole, 1), 1.0)


def _distance(predicted: Masks, true: Masks) -> float:
    if not predicted.any() and not true.any():
        return 0.0
    if not predicted.any() or not true.any():
        return float(np.hypot(*true.shape))
    outlines = [mask & ~binary_erosion(mask) for mask in (predicted, true)]
    away = [distance_transform_edt(~outline) for outline in outlines]
    return float(max(np.percentile(away[1][outlines[0]], PERCENTILE), np.percentile(away[0][outlines[1]], PERCENTILE)))
