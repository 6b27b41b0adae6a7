"""Intervals, tests and verdicts about AUCs: against brute force and hand-worked examples."""

import numpy as np
import pytest
import scipy.stats
import sklearn.metrics

from pipeline.errors import InputError
from pipeline.metrics.auc_inference import (
    Comparison,
    Estimate,
    TestSet,
    auc_estimate,
    delong_estimate,
    detectable_gain,
    directed_p_value,
    gain_estimate,
    holm,
    image_variance,
    judge,
    seed_variance,
    summed_freedom,
)

RNG = np.random.default_rng(5)


def drawn(images: int = 60, seeds: int = 1, rng: np.random.Generator = RNG) -> tuple[np.ndarray, np.ndarray]:
    target = np.append([0, 0, 1, 1], rng.integers(0, 2, images - 4))
    return target, rng.normal(size=(seeds, images)).round(1) + target


def components(target: np.ndarray, score: np.ndarray) -> np.ndarray:
    """The structural component of each image, pair by pair."""
    positive, negative = score[target == 1], score[target == 0]
    wins = (positive[:, None] > negative) + 0.5 * (positive[:, None] == negative)
    shares = np.empty(len(target))
    shares[target == 1], shares[target == 0] = wins.mean(axis=1), wins.mean(axis=0)
    return shares


def delong_variance(target: np.ndarray, difference: np.ndarray) -> float:
    """Of the difference of two AUCs, from the difference of the components."""
    return sum(np.var(difference[target == value], ddof=1) / np.sum(target == value) for value in (0, 1))


def test_without_groups_the_variance_is_that_of_delong():
    target, (score,) = drawn()
    reference = score + RNG.normal(size=60).round(1)
    test = TestSet(target, np.arange(60))
    gain = gain_estimate(test, score[None], reference[None])
    assert gain.standard_error**2 == pytest.approx(
        delong_variance(target, components(target, score) - components(target, reference))
    )
    expected = sklearn.metrics.roc_auc_score(target, score) - sklearn.metrics.roc_auc_score(target, reference)
    assert gain.value == pytest.approx(expected)
    assert not gain.seed_error
    assert gain.degrees_of_freedom == min(np.sum(target == 0), np.sum(target == 1)) - 1


def test_the_cross_check_is_delongs_test_and_sees_neither_patients_nor_seeds():
    target, scores = drawn(seeds=3)
    reference = scores + RNG.normal(size=scores.shape).round(1)
    found = delong_estimate(target, scores, reference)
    ours, theirs = (np.mean([components(target, row) for row in rows], axis=0) for rows in (scores, reference))
    z = found.value / np.sqrt(delong_variance(target, ours - theirs))
    assert found.p_value() == pytest.approx(2 * scipy.stats.norm.sf(abs(z)))
    patients = TestSet(target, np.arange(60) // 2)
    assert found.value == pytest.approx(gain_estimate(patients, scores, reference).value)
    assert found.p_value() < gain_estimate(patients, scores, reference).p_value()
    assert delong_estimate(target, scores, scores).p_value() == 1


def test_seeds_that_share_a_generator_count_once():
    gains = np.array([0.02, 0.05, -0.01, 0.03, 0.01, 0.04])
    alone = seed_variance(gains, np.arange(6))
    assert alone == (pytest.approx(np.var(gains, ddof=1) / 6), 5)
    of_means = [gains[::2].mean(), gains[1::2].mean()]  # two generators, taking turns
    assert seed_variance(gains, np.arange(6) % 2) == (pytest.approx(np.var(of_means, ddof=1) / 2), 1)
    assert seed_variance(gains, np.zeros(6)) == (0, 0)


def test_the_interval_of_a_gain_widens_with_the_error_of_the_generators():
    target, scores = drawn(seeds=6)
    generator = np.arange(6) % 3
    better = scores + 0.5 * RNG.normal(size=(3, 1))[generator] * target + 0.1 * RNG.normal(size=scores.shape)
    test = TestSet(target, np.arange(60))
    one = gain_estimate(test, better, scores, np.zeros(6))
    three = gain_estimate(test, better, scores, generator)
    assert one == gain_estimate(test, better, scores)  # of one generator the seeds cannot tell
    assert three.value == one.value
    assert three.standard_error > one.standard_error
    assert three.degrees_of_freedom < one.degrees_of_freedom


def test_grouped_variance_is_that_of_obuchowski():
    target, (score,) = drawn(30)
    group = RNG.integers(0, 9, 30)
    auc = sklearn.metrics.roc_auc_score(target, score)
    deviation = components(target, score) - auc
    clusters, m, n = len(np.unique(group)), np.sum(target == 1), np.sum(target == 0)
    sums = [
        [deviation[(target == value) & (group == cluster)].sum() for value in (1, 0)] for cluster in np.unique(group)
    ]
    with_positive, with_negative = (len(np.unique(group[target == value])) for value in (1, 0))
    s10 = with_positive / ((with_positive - 1) * m) * sum(p**2 for p, _ in sums)
    s01 = with_negative / ((with_negative - 1) * n) * sum(q**2 for _, q in sums)
    s11 = clusters / (clusters - 1) * sum(p * q for p, q in sums)
    expected = s10 / m + s01 / n + 2 * s11 / (m * n)
    assert auc_estimate(TestSet(target, group), score[None]).standard_error ** 2 == pytest.approx(expected)


def test_an_image_shown_twice_counts_once():
    target, (score,) = drawn(40)
    once = auc_estimate(TestSet(target, np.arange(40)), score[None])
    twice = auc_estimate(TestSet(np.tile(target, 2), np.tile(np.arange(40), 2)), np.tile(score, 2)[None])
    assert twice.standard_error == pytest.approx(once.standard_error)
    assert twice.value == pytest.approx(once.value)


def test_both_sources_of_error_add_up():
    target, scores = drawn(50, seeds=4)
    test = TestSet(target, np.arange(50))
    single = [auc_estimate(test, score[None]).value for score in scores]
    auc = auc_estimate(test, scores)
    averaged = np.mean([components(target, score) for score in scores], axis=0)
    for value in (0, 1):
        averaged[target == value] -= averaged[target == value].mean()
        averaged[target == value] /= np.sum(target == value)
    image_part, freedom = image_variance(test, averaged)
    assert auc.value == pytest.approx(np.mean(single))
    assert auc.standard_error**2 == pytest.approx(np.var(single, ddof=1) / 4 + image_part)
    assert auc.degrees_of_freedom == pytest.approx(summed_freedom(np.var(single, ddof=1) / 4, 3, image_part, freedom))
    assert auc.seed_error


def test_degrees_of_freedom_lie_between_those_of_the_parts():
    assert summed_freedom(1.0, 2, 0.0, 300.0) == pytest.approx(2)
    assert summed_freedom(1e-12, 2, 1.0, 300.0) == pytest.approx(300)
    upper = 2 / scipy.stats.chi2.ppf(1 / 4, 2)
    assert summed_freedom(1.0, 2, 1.0, 300.0) == pytest.approx((upper + 1) ** 2 / (upper**2 / 2 + 1 / 300))


def test_interval_p_value_and_detectable_gain_follow_the_t_distribution():
    estimate = Estimate(0.03, 0.012, 7.5, seed_error=True)
    low, high = estimate.interval(0.9)
    quantile = scipy.stats.t.ppf(0.95, 7.5)
    assert (low, high) == pytest.approx((0.03 - 0.012 * quantile, 0.03 + 0.012 * quantile))
    assert estimate.p_value() == pytest.approx(2 * scipy.stats.t.sf(2.5, 7.5))
    expected = 0.012 * (scipy.stats.t.ppf(0.975, 7.5) + scipy.stats.t.ppf(0.95, 7.5))
    assert estimate.detectable(0.05) == pytest.approx(expected)
    assert detectable_gain(Comparison(estimate, Estimate(0, 0.001, 7.5, True)), 0.1, 2) == pytest.approx(expected)


def test_a_scheme_against_itself_is_no_effect():
    target, scores = drawn(seeds=3)
    gain = gain_estimate(TestSet(target, np.arange(60)), scores, scores)
    assert (gain.value, gain.standard_error, gain.p_value()) == (0, 0, 1)
    assert gain.interval(0.95) == (0, 0)


def test_equal_seeds_leave_the_error_of_the_images():
    target, (score,) = drawn()
    test = TestSet(target, np.arange(60))
    assert auc_estimate(test, np.stack([score] * 3)).standard_error == pytest.approx(
        auc_estimate(test, score[None]).standard_error
    )


def test_one_group_of_a_class_is_refused():
    with pytest.raises(InputError, match="malignant images of 1 groups"):
        TestSet(np.array([0, 0, 1, 1]), np.array([0, 1, 2, 2]))


def test_holm_by_hand():
    assert holm({"a": 0.04, "b": 0.01, "c": 0.03}) == pytest.approx({"b": 0.03, "c": 0.06, "a": 0.06})
    assert holm({"a": 0.6, "b": 0.7}) == pytest.approx({"a": 1.0, "b": 1.0})
    assert holm({}) == {}


def estimate(value: float, p_value: float) -> Estimate:
    """With 1,000 degrees of freedom."""
    return Estimate(value, abs(value) / scipy.stats.t.isf(p_value / 2, 1000), 1000, seed_error=True)


def test_an_effect_must_beat_both_rivals():
    assert directed_p_value(Comparison(estimate(0.1, 0.01), estimate(0.1, 0.2))) == pytest.approx(0.2)
    assert directed_p_value(Comparison(estimate(0.1, 0.01), estimate(-0.1, 0.001))) == 1
    assert directed_p_value(Comparison(estimate(-0.1, 0.01), estimate(0.1, 0.2))) == pytest.approx(0.01)


@pytest.mark.parametrize(
    ("over_classic", "over_placebo", "verdict"),
    [
        (estimate(0.05, 0.01), estimate(0.04, 0.02), "helps"),
        (estimate(0.05, 0.01), estimate(0.04, 0.03), "no detectable effect"),  # Holm: 2 x 0.03
        (estimate(0.05, 0.001), estimate(-0.04, 0.001), "no detectable effect"),
        (estimate(-0.05, 0.02), estimate(0.04, 0.9), "harms"),
        (estimate(-0.05, 0.03), estimate(-0.04, 0.001), "no detectable effect"),
    ],
)
def test_the_three_verdicts(over_classic, over_placebo, verdict):
    other = Comparison(estimate(0.01, 0.9), estimate(0.01, 0.9))
    judged = judge({"other": other, "gan": Comparison(over_classic, over_placebo)}, alpha=0.05)
    assert judged["gan"].verdict == verdict
    assert judged["other"].verdict == "no detectable effect"


@pytest.mark.parametrize(("seeds", "most"), [(2, 0.062), (3, 0.055), (5, 0.053)])
@pytest.mark.parametrize("share", [0.0, 0.5, 0.9])
def test_intervals_cover_about_as_promised_whatever_share_the_seeds_have(seeds, most, share):
    rng, trials = np.random.default_rng(3), 20000
    seed_part = share * rng.chisquare(seeds - 1, trials) / (seeds - 1)
    image_part = (1 - share) * rng.chisquare(200, trials) / 200
    freedom = summed_freedom(seed_part, seeds - 1, image_part, 200.0)
    half = scipy.stats.t.ppf(0.975, freedom) * np.sqrt(seed_part + image_part)
    assert np.mean(np.abs(rng.normal(size=trials)) > half) < most
