"""Classification scores against scikit-learn and hand-made cases."""

import numpy as np
import pytest
import sklearn.metrics
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.metrics import classification
from pipeline.metrics.ranking import roc_auc, threshold_youden

TARGET = np.array([0, 0, 1, 1, 0, 1])
SCORE = np.array([0.1, 0.4, 0.35, 0.8, 0.4, 0.9])

tied_problems = st.integers(0, 2**32 - 1).map(
    lambda seed: (
        np.append([0, 1], np.random.default_rng(seed).integers(0, 2, 40)),
        np.random.default_rng(seed + 1).integers(0, 12, 42) / 11,
    )
)


@settings(deadline=None)  # a busy machine is no fault
@given(tied_problems)
def test_areas_agree_with_scikit_learn_also_with_ties(problem):
    target, score = problem
    assert roc_auc(target, score) == pytest.approx(sklearn.metrics.roc_auc_score(target, score))
    expected = sklearn.metrics.average_precision_score(target, score)
    assert classification.average_precision(target, score) == pytest.approx(expected)
    assert classification.brier(target, score) == pytest.approx(sklearn.metrics.brier_score_loss(target, score))


@settings(deadline=None)  # a busy machine is no fault
@given(tied_problems)
def test_pauc_is_the_challenge_metric(problem):
    target, score = problem
    # The challenge mirrors the curve and undoes scikit-learn's normalisation of a partial area.
    normalised = sklearn.metrics.roc_auc_score(1 - target, -score, max_fpr=0.2)
    smallest = 0.5 * 0.2**2
    expected = smallest + (0.2 - smallest) / 0.5 * (normalised - 0.5)
    assert classification.pauc_tpr80(target, score) == pytest.approx(expected, abs=1e-12)


def test_pauc_of_a_perfect_and_of_a_blind_classifier():
    assert classification.pauc_tpr80(TARGET, TARGET.astype(float)) == pytest.approx(0.2)
    assert classification.pauc_tpr80(TARGET, np.zeros(6)) == pytest.approx(0.02)


def test_curves_are_those_of_scikit_learn():
    false_rate, true_rate = classification.roc_curve(TARGET, SCORE)
    expected = sklearn.metrics.roc_curve(TARGET, SCORE, drop_intermediate=False)
    assert false_rate == pytest.approx(expected[0])
    assert true_rate == pytest.approx(expected[1])


def test_thresholds_come_with_the_rates_that_they_promise():
    target = np.array([0] * 10 + [1] * 5)
    score = np.append(np.arange(10) / 10, [0.05, 0.55, 0.85, 0.95, 0.97])
    threshold = classification.threshold_at_specificity(target, score, 0.9)
    assert threshold == pytest.approx(0.85)  # 0.9 is the one benign image of ten that is called
    assert classification.specificity(target, score, threshold) == pytest.approx(0.9)
    assert classification.sensitivity(target, score, threshold) == pytest.approx(0.6)
    demanding = classification.threshold_at_sensitivity(target, score, 0.8)
    assert demanding == pytest.approx(0.55)  # 4 of 5 are called, at 0.6 only 3
    assert classification.specificity(target, score, demanding) == pytest.approx(0.6)
    # Youden: 0.95 calls 2 of 5 and no benign one (0.4), 0.85 calls 3 and one of ten (0.5), 0.55 calls 4 and four (0.4)
    assert threshold_youden(target, score) == pytest.approx(0.85)
    assert classification.balanced_accuracy(target, score, 0.85) == pytest.approx((0.6 + 0.9) / 2)


@settings(deadline=None)  # a busy machine is no fault
@given(tied_problems)
def test_youdens_threshold_is_the_best_point_of_scikit_learns_curve(problem):
    target, score = problem
    false_rate, true_rate, thresholds = sklearn.metrics.roc_curve(target, score, drop_intermediate=False)
    assert threshold_youden(target, score) == thresholds[1:][np.argmax((true_rate - false_rate).round(12)[1:])]


def test_specificity_that_no_score_reaches_calls_nothing():
    target, score = np.array([0, 1, 0, 1]), np.array([0.9, 0.1, 0.8, 0.2])
    threshold = classification.threshold_at_specificity(target, score, 0.9)
    assert classification.sensitivity(target, score, threshold) == 0
    assert classification.specificity(target, score, threshold) == 1


def test_calibration_error_by_hand():
    target = np.array([0, 1, 1, 1])
    probability = np.array([0.1, 0.3, 0.9, 1.0])
    # lower half: mean 0.2 against 1/2; upper half: mean 0.95 against 1
    assert classification.ece(target, probability, bins=2) == pytest.approx(0.5 * 0.3 + 0.5 * 0.05)
    mean, observed, size = classification.calibration_curve(target, probability, bins=10)
    assert (list(mean), list(observed), list(size)) == ([0.1, 0.3, 0.95], [0, 1, 1], [1, 1, 2])


def test_mcc_by_hand_and_of_a_classifier_that_calls_nothing():
    # called: 0.4, 0.8, 0.4, 0.9; of these two malignant; one malignant is missed and one benign passed
    assert classification.mcc(TARGET, SCORE, 0.4) == pytest.approx((2 * 1 - 2 * 1) / np.sqrt(4 * 3 * 3 * 2))
    assert classification.mcc(TARGET, SCORE, 0.5) == pytest.approx((2 * 3 - 0 * 1) / np.sqrt(2 * 3 * 3 * 4))
    assert classification.mcc(TARGET, SCORE, 1.0) == 0


@settings(deadline=None)  # a busy machine is no fault
@given(tied_problems)
def test_the_parts_of_the_brier_score_add_up_and_none_is_negative(problem):
    target, score = problem
    parts = classification.brier_parts(target, score)
    total = parts.miscalibration - parts.discrimination + parts.uncertainty
    assert total == pytest.approx(classification.brier(target, score))
    assert min(parts) > -1e-12


def test_the_parts_of_the_brier_score_name_what_is_wrong():
    target = np.repeat([0, 1, 0, 1], [8, 2, 2, 8])
    honest = np.repeat([0.2, 0.8], 10)  # what is observed, exactly
    assert classification.brier_parts(target, honest) == pytest.approx((0, 0.09, 0.25))
    assert classification.brier_parts(target, honest**3).miscalibration > 0.02
    assert classification.brier_parts(target, honest**3).discrimination == pytest.approx(0.09)  # the order is the same
    assert classification.brier_parts(target, np.full(20, 0.5)) == pytest.approx((0, 0, 0.25))


def test_adaptive_bins_see_what_equal_widths_average_away():
    target = np.repeat([1, 0], 50)
    probability = np.repeat([0.01, 0.09], 50)  # all in one bin of ten by width, half too low and half too high
    assert classification.ece(target, probability, bins=10) == pytest.approx(0.45)
    assert classification.adaptive_ece(target, probability, bins=10) == pytest.approx((0.99 + 0.09) / 2)
    assert classification.adaptive_ece(target, np.full(100, 0.5), bins=10) == pytest.approx(0)


def test_temperature_undoes_overconfidence():
    rng = np.random.default_rng(3)
    logits = rng.normal(0, 1.5, 20_000)
    target = (rng.random(20_000) < 1 / (1 + np.exp(-logits))).astype(int)
    for factor in (3.0, 0.5):
        said = 1 / (1 + np.exp(-factor * logits))
        temperature = classification.fitted_temperature(target, said)
        assert temperature == pytest.approx(factor, rel=0.05)
        scaled = classification.at_temperature(said, temperature)
        assert classification.ece(target, scaled, 10) < 0.02 < classification.ece(target, said, 10)
        assert roc_auc(target, scaled) == pytest.approx(roc_auc(target, said))


def test_temperature_of_certain_predictions_is_finite():
    temperature = classification.fitted_temperature(np.array([0, 1, 1, 0]), np.array([0.0, 1.0, 0.0, 0.0]))
    assert np.isfinite(classification.at_temperature(np.array([0.0, 1.0]), temperature)).all()


def test_probabilities_that_touch_one_have_finite_parts():
    """As of a classifier that was trained on synthetic images alone, sure of itself to the last bit."""
    target, score = np.array([0, 1, 0, 1]), np.array([0.2, 0.4, np.nextafter(1, 0), 1])
    parts = classification.brier_parts(target, score)
    assert parts == pytest.approx((classification.brier(target, score) - 1 / 6, 1 / 12, 1 / 4))
