"""Scores of a binary classifier from its probabilities, each on all images of a split at once.

Everywhere: ``target`` is (N,) of 0 and 1 with both present, ``score`` is (N,), larger is more malignant, and an image
is called malignant when ``score >= threshold``.
"""

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


def counts_by_threshold(target: Target, score: Score) -> tuple[Score, Score, Score]:
    """Images called malignant at each distinct score, from the strictest threshold down.

    Returns:
        thresholds, true positives, false positives: (T,) each.
    """
    order = np.argsort(-score, kind="stable")
    ordered, positive = score[order], target[order]
    last = np.flatnonzero(np.append(np.diff(ordered) != 0, True))  # the last image of each tie
    true_positives = np.cumsum(positive)[last].astype(np.float64)
    return ordered[last], true_positives, last + 1.0 - true_positives


def roc_curve(target: Target, score: Score) -> tuple[Score, Score]:
    """False and true positive rates from (0, 0) to (1, 1), one point per distinct score."""
    _, true_positives, false_positives = counts_by_threshold(target, score)
    return np.append(0, false_positives / false_positives[-1]), np.append(0, true_positives / true_positives[-1])


def pr_curve(target: Target, score: Score) -> tuple[Score, Score]:
    """Recall, ascending to 1, and precision, one point per distinct score."""
    _, true_positives, false_positives = counts_by_threshold(target, score)
    return true_positives / true_positives[-1], true_positives / (true_positives + false_positives)


def average_precision(target: Target, score: Score) -> float:
    """Mean precision over the recall steps, in [0, 1]; no interpolation, which would flatter."""
    recall, precision = pr_curve(target, score)
    return float(np.sum(np.diff(recall, prepend=0) * precision))


def pauc_tpr80(target: Target, score: Score) -> float:
    """Area of the ROC curve above a true positive rate of 0.8, in [0, 0.2].

    Source: the metric of the ISIC 2024 challenge.
    """
    false_rate, true_rate = roc_curve(target, score)
    above = np.searchsorted(true_rate, 0.8, side="right")  # the first point above
    share = (0.8 - true_rate[above - 1]) / (true_rate[above] - true_rate[above - 1])
    crossing = false_rate[above - 1] + share * (false_rate[above] - false_rate[above - 1])
    return float(np.trapezoid(np.append(0, true_rate[above:] - 0.8), np.append(crossing, false_rate[above:])))


def threshold_at_specificity(target: Target, score: Score, specificity: float) -> float:
    """The lowest threshold on these images that leaves at least this share of benign images uncalled."""
    thresholds, _, false_positives = counts_by_threshold(target, score)
    allowed = false_positives <= (1 - specificity) * np.sum(target == 0) + 1e-9
    return float(thresholds[allowed][-1]) if allowed.any() else float(np.nextafter(thresholds[0], np.inf))


def threshold_youden(target: Target, score: Score) -> float:
    """The threshold of the highest sensitivity + specificity; the strictest where several are equal.

    Source: Youden 1950.
    """
    thresholds, true_positives, false_positives = counts_by_threshold(target, score)
    return float(thresholds[np.argmax(true_positives / true_positives[-1] - false_positives / false_positives[-1])])


def sensitivity(target: Target, score: Score, threshold: float) -> float:
    return float(np.mean(score[target == 1] >= threshold))


def specificity(target: Target, score: Score, threshold: float) -> float:
    return float(np.mean(score[target == 0] < threshold))


def balanced_accuracy(target: Target, score: Score, threshold: float) -> float:
    """Mean of sensitivity and specificity."""
    return (sensitivity(target, score, threshold) + specificity(target, score, threshold)) / 2


def brier(target: Target, probability: Score) -> float:
    """Mean squared distance of probability and target, in [0, 1]; 0 is best. Source: Brier 1950."""
    return float(np.mean((probability - target) ** 2))


def calibration_curve(target: Target, probability: Score, bins: int) -> tuple[Score, Score, NDArray[np.int64]]:
    """Equal-width bins of the probability, empty ones left out.

    Returns:
        mean probability, share of malignant images, and number of images of each bin that has any.
    """
    member = np.minimum((probability * bins).astype(np.int64), bins - 1)
    size = np.bincount(member, minlength=bins)
    filled = size > 0
    mean = np.bincount(member, weights=probability, minlength=bins)[filled] / size[filled]
    observed = np.bincount(member, weights=target, minlength=bins)[filled] / size[filled]
    return mean, observed, size[filled]


def ece(target: Target, probability: Score, bins: int) -> float:
    """Expected calibration error in [0, 1]: mean distance of probability and outcome, bins weighted by size.

    Source: Naeini et al. 2015, with equal-width bins as in Guo et al. 2017, of the probability of malignant.
    """
    mean, observed, size = calibration_curve(target, probability, bins)
    return float(np.sum(size * np.abs(mean - observed)) / len(target))
