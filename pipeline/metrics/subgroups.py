"""How the schemes do on parts of the test split: by sex, age, site, source and tone of skin."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from pipeline.errors import InputError
from pipeline.metrics.auc_inference import Estimate, TestSet, auc_estimate, gain_estimate, mean_estimate
from pipeline.metrics.classification import threshold_at_specificity
from pipeline.metrics.ranking import Target
from pipeline.metrics.schemes import Run
from pipeline.params.classifier import CLASSIC

FEW = 10  # of a class; a smaller part of the split is marked, as an interval from so few is a guess
Part = dict[str, Any]


def part_report(
    runs: Mapping[str, Run],
    val_target: Target,
    test_target: Target,
    group: Target,
    member: NDArray[np.bool_],
    confidence: float,
) -> Part:
    """Counts, and for every scheme what it reaches on the part.

    Args:
        group: (N,), images of one group (patient, lesion, duplicates) are not independent.
        member: (N,), which test images belong to the part.
        confidence: of the intervals.
    """
    target, groups = test_target[member], group[member]
    malignant = int(target.sum())
    report: Part = {
        "images": len(target),
        "malignant": malignant,
        "groups": len(np.unique(groups)),
        "few": min(malignant, len(target) - malignant) < FEW,
        "schemes": {},
    }
    try:
        test = TestSet(target, groups)
    except InputError:  # fewer than two groups of a class: there is nothing to say
        return report
    for scheme, run in runs.items():
        scores = run.test[:, member]
        thresholds = [threshold_at_specificity(val_target, val, 0.9) for val in run.val]
        calls = (scores >= np.array(thresholds)[:, None]).astype(np.float64)
        benign = TestSet(1 - target, groups)
        report["schemes"][scheme] = {
            **_interval("auc", auc_estimate(test, scores), confidence),
            **_share("sensitivity", mean_estimate(test, calls), malignant, confidence),
            **_share("specificity", mean_estimate(benign, 1 - calls), len(target) - malignant, confidence),
        }
        if CLASSIC in runs and scheme != CLASSIC:
            gain = gain_estimate(test, scores, runs[CLASSIC].test[:, member], run.generator)
            report["schemes"][scheme] |= _interval("auc_gain_over_classic", gain, confidence)
    return report


def _interval(name: str, estimate: Estimate, confidence: float) -> dict[str, float]:
    low, high = estimate.interval(confidence)
    if name == "auc":
        low, high = max(low, 0.0), min(high, 1.0)
    return {name: estimate.value, f"{name}_ci_low": low, f"{name}_ci_high": high}


def _share(name: str, estimate: Estimate, images: int, confidence: float) -> dict[str, float]:
    low, high = wilson(estimate.value, effective_size(estimate, images), confidence)
    return {name: estimate.value, f"{name}_ci_low": low, f"{name}_ci_high": high}


def effective_size(estimate: Estimate, images: int) -> float:
    """How many independent images would leave a share with this standard error; never more than there are.

    Source: Korn and Graubard 1998. A share of 0 or 1 has no error of its own to go by.
    """
    variance = estimate.standard_error**2
    return min(estimate.value * (1 - estimate.value) / variance, images) if variance > 0 else float(images)


def wilson(share: float, size: float, confidence: float) -> tuple[float, float]:
    """Interval of a share of ``size`` independent images; it never leaves [0, 1]. Source: Wilson 1927."""
    z2 = float(ndtri((1 + confidence) / 2)) ** 2
    centre = (share + z2 / (2 * size)) / (1 + z2 / size)
    half = np.sqrt(z2) / (1 + z2 / size) * np.sqrt(share * (1 - share) / size + z2 / (4 * size**2))
    return float(max(centre - half, 0)), float(min(centre + half, 1))
