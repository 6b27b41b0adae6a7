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
