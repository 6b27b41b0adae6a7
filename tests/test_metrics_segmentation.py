"""Scores of masks against counts by hand and scipy's distances; the rule for empty masks."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter
from scipy.spatial import KDTree
from scipy.spatial.distance import directed_hausdorff

from pipeline.metrics import segmentation
from pipeline.metrics.segmentation import SLICE_SCORES, dice, hausdorff_95, iou, patient_dice, sensitivity

EMPTY = np.zeros((1, 6, 8), dtype=bool)


def box(top: int, left: int, height: int, width: int, size: tuple[int, int] = (6, 8)) -> np.ndarray:
    mask = np.zeros((1, *size), dtype=bool)
    mask[0, top : top + height, left : left + width] = True
    return mask


def blobs(seed: int) -> np.ndarray:
    """(1, 40, 50), of any shape and number."""
    noise = gaussian_filter(np.random.default_rng(seed).normal(size=(40, 50)), 3)
    return (noise > np.quantile(noise, 0.8))[None]


def outline(mask: np.ndarray) -> np.ndarray:
    """Its points, (P, 2), found pixel by pixel."""
    padded = np.pad(mask[0], 1)
    points = np.argwhere(padded)
    inner = [all(padded[r + dr, c + dc] for dr, dc in ((0, 1), (1, 0), (0, -1), (-1, 0))) for r, c in points]
    return points[~np.array(inner)]


def test_a_known_overlap() -> None:
    """8 px predicted, 12 px true, 4 px in both."""
    predicted, true = box(0, 0, 2, 4), box(1, 0, 3, 4)
    assert dice(predicted, true).tolist() == [0.4]
    assert iou(predicted, true).tolist() == [0.25]
    assert sensitivity(predicted, true) == pytest.approx([1 / 3])
    assert sensitivity(true, predicted).tolist() == [0.5]


@pytest.mark.parametrize("name", SLICE_SCORES)
def test_the_same_mask_is_perfect_and_slices_are_scored_on_their_own(name: str) -> None:
    perfect = 0.0 if name == "hausdorff_95" else 1.0
    first, second = blobs(0), blobs(1)
    score = SLICE_SCORES[name]
    assert score(first, first).tolist() == [perfect]
    pair = score(np.concatenate([first, second]), np.concatenate([first, first]))
    assert pair.tolist() == [perfect, *score(second, first)]


def test_empty_masks() -> None:
    there = box(1, 1, 2, 2)
    assert [float(score(EMPTY, EMPTY)[0]) for score in (dice, iou, hausdorff_95)] == [1, 1, 0]
    for predicted, true in ((EMPTY, there), (there, EMPTY)):
        assert [float(score(predicted, true)[0]) for score in (dice, iou, hausdorff_95)] == [0, 0, 10]  # 6, 8: 10
    assert sensitivity(EMPTY, there).tolist() == [0]
    assert np.isnan(sensitivity(there, EMPTY)[0])
    assert np.isnan(sensitivity(EMPTY, EMPTY)[0])


@pytest.mark.parametrize("seed", range(5))
def test_hausdorff_is_scipy_s(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    predicted, true = blobs(seed), blobs(seed + 100)
    first, second = outline(predicted), outline(true)
    there, back = KDTree(second).query(first)[0], KDTree(first).query(second)[0]
    assert hausdorff_95(predicted, true)[0] == pytest.approx(max(np.percentile(there, 95), np.percentile(back, 95)))
    monkeypatch.setattr(segmentation, "PERCENTILE", 100)
    farthest = max(directed_hausdorff(first, second)[0], directed_hausdorff(second, first)[0])
    assert hausdorff_95(predicted, true)[0] == pytest.approx(farthest)


def test_a_shifted_box_is_as_far_as_it_was_shifted() -> None:
    size = (40, 40)
    assert hausdorff_95(box(5, 5, 10, 10, size), box(5, 12, 10, 10, size)).tolist() == [7]
    assert hausdorff_95(box(0, 0, 40, 40, size), box(0, 0, 40, 40, size)).tolist() == [0]


def test_a_patient_s_dice_pools_the_slices() -> None:
    predicted = np.concatenate([box(0, 0, 2, 4), EMPTY, box(0, 0, 1, 4), EMPTY])
    true = np.concatenate([box(1, 0, 3, 4), EMPTY, EMPTY, EMPTY])
    patient = np.array([7, 7, 7, 3])
    # patient 3: empty and found empty; patient 7: 4 px in both, 12 predicted, 12 true
    assert patient_dice(predicted, true, patient).tolist() == [1, pytest.approx(8 / 24)]
