"""Scores of a binary classifier from its probabilities, each on all images of a split at once.

Everywhere: ``target`` is (N,) of 0 and 1 with both present, ``score`` is (N,), larger is more malignant, and an image
is called malignant when ``score >= threshold``.
"""

from typing import NamedTuple

import numpy as np
import sklearn.metrics
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import expit, log_expit, logit
from sklearn.isotonic import IsotonicRegression

from pipeline.metrics.ranking import Score, Target


def roc_curve(target: Target, score: Score) -> tuple[Score, Score]:
    """False and true positive rates from (0, 0) to (1, 1), one point per distinct score."""
    false_rate, true_rate, _ = sklearn.metrics.roc_curve(target, score, drop_intermediate=False)
    return false_rate, true_rate


def pr_curve(target: Target, score: Score) -> tuple[Score, Score]:
    """Recall, ascending to 1, and precision, one point per distinct score."""
    precision, recall, _ = sklearn.metrics.precision_recall_curve(target, score)
    return recall[-2::-1], precision[-2::-1]  # the last point belongs to no image


def average_precision(target: Target, score: Score) -> float:
    """Mean precision over the recall steps, in [0, 1]; no interpolation, which would flatter."""
    return float(sklearn.metrics.average_precision_score(target, score))


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
    false_rate, _, thresholds = sklearn.metrics.roc_curve(target, score, drop_intermediate=False)
    return float(thresholds[false_rate <= 1 - specificity + 1e-9][-1])


def threshold_at_sensitivity(target: Target, score: Score, sensitivity: float) -> float:
    """The highest threshold on these images that calls at least this share of malignant images."""
    _, true_rate, thresholds = sklearn.metrics.roc_curve(target, score, drop_intermediate=False)
    return float(thresholds[true_rate >= sensitivity - 1e-9][0])


def sensitivity(target: Target, score: Score, threshold: float) -> float:
    return float(np.mean(score[target == 1] >= threshold))


def specificity(target: Target, score: Score, threshold: float) -> float:
    return float(np.mean(score[target == 0] < threshold))


def balanced_accuracy(target: Target, score: Score, threshold: float) -> float:
    """Mean of sensitivity and specificity."""
    return float(sklearn.metrics.balanced_accuracy_score(target, score >= threshold))


def mcc(target: Target, score: Score, threshold: float) -> float:
    """Correlation of call and target in [-1, 1]; 0 where all or none are called. Source: Matthews 1975."""
    return float(sklearn.metrics.matthews_corrcoef(target, score >= threshold))


def brier(target: Target, probability: Score) -> float:
    """Mean squared distance of probability and target, in [0, 1]; 0 is best. Source: Brier 1950."""
    return float(sklearn.metrics.brier_score_loss(target, probability))


class BrierParts(NamedTuple):
    """Brier score = miscalibration - discrimination + uncertainty, none of them negative."""

    miscalibration: float  # what a perfect recalibration would save
    discrimination: float  # what the recalibrated probabilities save over the share of malignant images
    uncertainty: float  # the score of that share as everybody's probability


def brier_parts(target: Target, probability: Score) -> BrierParts:
    """Source: Dimitriadis, Gneiting, Jordan 2021 (CORP), section 2: recalibrated by isotonic regression, no bins."""
    # Of probabilities a few ulp apart, scikit-learn keeps one, and the others can lie beyond the last that it keeps.
    isotonic = IsotonicRegression(y_min=0, y_max=1, out_of_bounds="clip")
    recalibrated = isotonic.fit_transform(probability, target)
    uncertainty = float(target.mean() * (1 - target.mean()))
    after = float(np.mean((recalibrated - target) ** 2))
    return BrierParts(brier(target, probability) - after, uncertainty - after, uncertainty)


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


def adaptive_ece(target: Target, probability: Score, bins: int) -> float:
    """As ``ece``, but in bins of equally many images: equal widths leave most bins of a rare class all but empty.

    Source: Nixon et al. 2019, of the probability of malignant; equal probabilities share a bin here.
    """
    edges = np.unique(np.quantile(probability, np.linspace(0, 1, bins + 1)[1:-1]))
    member = np.searchsorted(edges, probability, side="right")
    distance = np.bincount(member, weights=probability - target)
    return float(np.sum(np.abs(distance)) / len(target))


def fitted_temperature(target: Target, probability: Score) -> float:
    """The T of sigmoid(logit / T) with the highest likelihood on these images. Source: Guo et al. 2017, section 4.2."""
    logits = _logits(probability)
    signed = np.where(target == 1, logits, -logits)
    fit = minimize_scalar(lambda log_t: -np.mean(log_expit(signed * np.exp(-log_t))), bounds=(-5, 5), method="bounded")
    return float(np.exp(fit.x))


def at_temperature(probability: Score, temperature: float) -> Score:
    return np.asarray(expit(_logits(probability) / temperature))


def _logits(probability: Score) -> Score:
    """Of a probability that was rounded to 0 or 1, the nearest that is neither."""
    return np.asarray(logit(np.clip(probability, 1e-15, 1 - 1e-15)))
