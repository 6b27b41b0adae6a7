"""Do synthetic pairs help? The main graph's verdict, with the Dice of patients in the place of an AUC."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.metrics.auc_inference import Comparison, Estimate, detectable_gain, judge, mean_over_cases
from pipeline.metrics.schemes import gain_report, verdict_report
from pipeline.metrics.segmentation import Scores
from segmentation.params import CLASSIC, PLACEBO, REAL

RIVALS = {"dice_gain": REAL, "dice_gain_over_classic": CLASSIC, "dice_gain_over_placebo": PLACEBO}


def compare(
    values: Mapping[str, Scores],
    synthetic_schemes: list[str],
    group: NDArray[np.int64],
    generator: NDArray[np.int64],
    confidence: float,
) -> dict[str, dict[str, Any]]:
    """Gains and verdict of every scheme; None where the scheme to compare with was not trained.

    Args:
        values: (S, P), a row per seed, the Dice of each test patient.
        group: (P,), patients of one group are not independent.
        generator: (S,), whose pairs the synthetic schemes saw with each seed.
    """
    gains = {
        scheme: _gains(values, scheme, group, generator if scheme in synthetic_schemes else None) for scheme in values
    }
    judged = {
        scheme: Comparison(gains[scheme][CLASSIC], gains[scheme][PLACEBO])
        for scheme in synthetic_schemes
        if CLASSIC in values and PLACEBO in values
    }
    verdicts = judge(judged, 1 - confidence)
    reports = {}
    for scheme in values:
        report: dict[str, Any] = {"generators": len(np.unique(generator)) if scheme in synthetic_schemes else 0}
        for key, rival in RIVALS.items():
            report |= gain_report(key, gains[scheme].get(rival), confidence)
        detectable = detectable_gain(judged[scheme], 1 - confidence, len(judged)) if scheme in judged else None
        verdict = verdict_report(scheme in synthetic_schemes, verdicts.get(scheme))
        reports[scheme] = report | verdict | {"detectable_gain": detectable}
    return reports


def _gains(
    values: Mapping[str, Scores], scheme: str, group: NDArray[np.int64], generator: NDArray[np.int64] | None
) -> dict[str, Estimate]:
    """Over each rival that was trained, paired by seed and by patient."""
    return {
        rival: mean_over_cases(group, values[scheme] - values[rival], generator)
        for rival in RIVALS.values()
        if rival in values
    }
