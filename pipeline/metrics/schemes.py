"""What is reported of the training schemes: gains and verdicts, scores at thresholds from val, curves."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.metrics import classification
from pipeline.metrics.auc_inference import (
    Comparison,
    Estimate,
    Judgement,
    TestSet,
    auc_estimate,
    delong_estimate,
    detectable_gain,
    gain_estimate,
    judge,
)
from pipeline.metrics.ranking import Score, Target, roc_auc, threshold_youden
from pipeline.params.classifier import BASELINE, CLASSIC, PLACEBO

RIVALS = {"auc_gain": BASELINE, "auc_gain_over_placebo": PLACEBO, "auc_gain_over_classic": CLASSIC}
CURVE_POINTS = np.linspace(0, 1, 101)
Columns = dict[str, Any]
Report = dict[str, Any]


@dataclass(frozen=True)
class Run:
    """The probabilities of one scheme: (S, N) each, a row per seed; ``generator`` is (S,): whose images each saw."""

    val: Score
    test: Score
    generator: NDArray[np.int64] | None = None


def compare(
    runs: Mapping[str, Run], synthetic_schemes: list[str], test: TestSet, confidence: float
) -> dict[str, Report]:
    """AUC, gains and verdict of every scheme; None where the scheme to compare with was not trained."""
    gains = {scheme: _gains(run, runs, test) for scheme, run in runs.items()}
    judged = {
        scheme: Comparison(gains[scheme][CLASSIC], gains[scheme][PLACEBO])
        for scheme in synthetic_schemes
        if CLASSIC in runs and PLACEBO in runs
    }
    verdicts = judge(judged, 1 - confidence)
    reports = {}
    for scheme, run in runs.items():
        report = auc_report(auc_estimate(test, run.test), confidence) | _seeds_report(test.target, run.test)
        for key, rival in RIVALS.items():
            report |= gain_report(key, gains[scheme].get(rival), confidence)
            report[f"{key}_p_delong"] = _delong(test, run, runs.get(rival))
        reports[scheme] = report | verdict_report(scheme in synthetic_schemes, verdicts.get(scheme))
        detectable = detectable_gain(judged[scheme], 1 - confidence, len(judged)) if scheme in judged else None
        reports[scheme]["detectable_gain"] = detectable
    return reports


def _gains(run: Run, runs: Mapping[str, Run], test: TestSet) -> dict[str, Estimate]:
    return {
        rival: gain_estimate(test, run.test, runs[rival].test, run.generator)
        for rival in RIVALS.values()
        if rival in runs
    }


def auc_report(auc: Estimate, confidence: float) -> Report:
    """With its interval, held to [0, 1]."""
    low, high = np.clip(auc.interval(confidence), 0, 1)
    return {
        "auc": auc.value,
        "auc_ci_low": float(low),
        "auc_ci_high": float(high),
        "intervals_carry_seed_error": auc.seed_error,
    }


def _seeds_report(target: Target, scores: Score) -> Report:
    auc = [roc_auc(target, score) for score in scores]
    return {"auc_per_seed": auc, "auc_std": float(np.std(auc, ddof=1)) if len(auc) > 1 else None}


def gain_report(key: str, gain: Estimate | None, confidence: float) -> Report:
    """With its interval and p value, all under ``key``; None where there is nothing to compare with."""
    low, high = gain.interval(confidence) if gain else (None, None)
    p_value = gain.p_value() if gain else None
    return {key: gain.value if gain else None, f"{key}_ci_low": low, f"{key}_ci_high": high, f"{key}_p": p_value}


def _delong(test: TestSet, run: Run, rival: Run | None) -> float | None:
    return delong_estimate(test.target, run.test, rival.test).p_value() if rival else None


def verdict_report(is_synthetic: bool, judgement: Judgement | None) -> Report:
    """The verdict and its p value; ``reference`` is the verdict on a scheme without synthetic images."""
    if judgement:
        return judgement._asdict()
    return {"verdict": "not tested" if is_synthetic else "reference", "p_holm": None}


def score(run: Run, val_target: Target, test_target: Target, bins: int) -> dict[str, float]:
    """Scores on test, means over seeds; thresholds come from val, seed by seed."""
    per_seed = [_score_seed(*pair, val_target, test_target, bins) for pair in zip(run.val, run.test, strict=True)]
    return {name: float(np.mean([scores[name] for scores in per_seed])) for name in per_seed[0]}


def _score_seed(val: Score, test: Score, val_target: Target, test_target: Target, bins: int) -> dict[str, float]:
    at_specificity = classification.threshold_at_specificity(val_target, val, 0.9)
    at_sensitivity = classification.threshold_at_sensitivity(val_target, val, 0.9)
    youden = threshold_youden(val_target, val)
    temperature = classification.fitted_temperature(val_target, val)
    scaled = classification.at_temperature(test, temperature)
    parts = classification.brier_parts(test_target, test)
    return {
        "average_precision": classification.average_precision(test_target, test),
        "pauc_tpr80": classification.pauc_tpr80(test_target, test),
        "sensitivity_at_90_specificity": classification.sensitivity(test_target, test, at_specificity),
        "specificity_at_90_sensitivity": classification.specificity(test_target, test, at_sensitivity),
        "balanced_accuracy": classification.balanced_accuracy(test_target, test, youden),
        "mcc": classification.mcc(test_target, test, youden),
        **{f"brier_{name}": part for name, part in parts._asdict().items()},
        "temperature": temperature,
        **_calibration(test_target, test, bins),
        **{f"{name}_at_temperature": value for name, value in _calibration(test_target, scaled, bins).items()},
    }


def fall_from_val(run: Run, val: TestSet, test: TestSet, confidence: float) -> Report:
    """How much higher the AUC on val is than on test; the splits share no group, so their errors add up.

    The weights that are kept are those with the best val AUC, which lifts it a little.
    """
    val_auc, test_auc = auc_estimate(val, run.val), auc_estimate(test, run.test)
    fall = Estimate(
        val_auc.value - test_auc.value,
        float(np.hypot(val_auc.standard_error, test_auc.standard_error)),
        min(val_auc.degrees_of_freedom, test_auc.degrees_of_freedom),
        val_auc.seed_error,
    )
    low, high = fall.interval(confidence)
    key = "auc_fall_from_val"
    return {key: fall.value, f"{key}_ci_low": low, f"{key}_ci_high": high}


def _calibration(target: Target, probability: Score, bins: int) -> dict[str, float]:
    return {
        "brier": classification.brier(target, probability),
        "ece": classification.ece(target, probability, bins),
        "adaptive_ece": classification.adaptive_ece(target, probability, bins),
    }


def mean_roc(target: Target, scores: Score) -> Columns:
    """Mean over seeds of the highest true positive rate at no more than each false positive rate.

    Not the curve of averaged predictions: those are an ensemble, better than any of the runs that are judged.
    """
    curves = []
    for row in scores:
        false_rate, true_rate = classification.roc_curve(target, row)
        curves.append(true_rate[np.searchsorted(false_rate, CURVE_POINTS + 1e-9, side="right") - 1])
    return {"false_positive_rate": CURVE_POINTS, "true_positive_rate": np.mean(curves, axis=0)}


def mean_pr(target: Target, scores: Score) -> Columns:
    """Mean over seeds of the precision at the strictest threshold that reaches each recall."""
    curves = []
    for row in scores:
        recall, precision = classification.pr_curve(target, row)
        curves.append(precision[np.searchsorted(recall, CURVE_POINTS - 1e-9, side="left")])
    return {"recall": CURVE_POINTS, "precision": np.mean(curves, axis=0)}


def pooled_calibration(target: Target, scores: Score, bins: int) -> Columns:
    """Calibration of all seeds' predictions together."""
    mean, observed, size = classification.calibration_curve(np.tile(target, len(scores)), scores.ravel(), bins)
    return {"mean_probability": mean, "malignant_share": observed, "predictions": size}
