"""Rank statistics behind the area under the ROC curve; numpy alone, as every training process imports them."""

import numpy as np
from numpy.typing import NDArray

Target = NDArray[np.int64]
Score = NDArray[np.float64]


def placements(of: Score, among: Score) -> Score:
    """Share of ``among`` below each value of ``of``, ties counting one half.

    Source: DeLong et al. 1988, the structural components; by sorting, as in Sun and Xu 2014.
    """
    ordered = np.sort(among)
    below = np.searchsorted(ordered, of, side="left")
    not_above = np.searchsorted(ordered, of, side="right")
    return (below + not_above) / (2 * len(among))


def roc_auc(target: Target, score: Score) -> float:
    """Area under the ROC curve in [0, 1]: how often a malignant image outscores a benign one, ties counting half."""
    return float(placements(score[target == 1], score[target == 0]).mean())


def threshold_youden(target: Target, score: Score) -> float:
    """The threshold of the highest sensitivity + specificity; the strictest where several are equal.

    Source: Youden 1950.
    """
    thresholds = np.unique(score)[::-1]
    missed, passed = (
        np.searchsorted(np.sort(score[target == label]), thresholds) / np.sum(target == label) for label in (1, 0)
    )
    return float(thresholds[np.argmax((passed - missed).round(12))])  # rounding would otherwise break ties
