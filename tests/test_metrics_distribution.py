"""KID, FID, precision, recall, density and coverage against closed forms, brute force and hand-made points."""

import numpy as np
import pytest
import scipy.linalg

from pipeline.errors import InputError
from pipeline.metrics import distribution
from pipeline.metrics.distribution import fid, kid, prdc

RNG = np.random.default_rng(0)


def brute_force_kid(real, fake):
    def kernel(a, b):
        return (a @ b / len(a) + 1) ** 3

    def within(side):
        return np.mean([kernel(a, b) for i, a in enumerate(side) for j, b in enumerate(side) if i != j])

    return within(real) + within(fake) - 2 * np.mean([kernel(a, b) for a in real for b in fake])


def test_kid_is_the_unbiased_estimate():
    real, fake = RNG.normal(size=(9, 4)), RNG.normal(size=(6, 4)) + 0.5
    assert kid(real, fake).value == pytest.approx(brute_force_kid(real, fake))


def test_kid_standard_error_is_the_two_sample_jackknife():
    real, fake = RNG.normal(size=(8, 3)), RNG.normal(size=(5, 3)) + 0.5
    without_real = [brute_force_kid(np.delete(real, i, axis=0), fake) for i in range(8)]
    without_fake = [brute_force_kid(real, np.delete(fake, j, axis=0)) for j in range(5)]
    expected = 7 * np.var(without_real) + 4 * np.var(without_fake)
    assert kid(real, fake).standard_error ** 2 == pytest.approx(expected)


@pytest.mark.parametrize("shift", [0.0, 0.4])
def test_kid_is_unbiased_and_its_error_is_the_spread_over_repeats(shift):
    rng = np.random.default_rng(1)
    repeats = [kid(rng.normal(size=(80, 8)), rng.normal(size=(60, 8)) + shift) for _ in range(120)]
    values, errors = np.array(repeats).T
    reference = kid(rng.normal(size=(4000, 8)), rng.normal(size=(4000, 8)) + shift).value
    assert values.mean() == pytest.approx(reference, abs=3 * values.std() / np.sqrt(120) + 0.003)
    ratio = np.sqrt(np.mean(errors**2)) / values.std()
    assert (1.0 if shift == 0 else 0.85) < ratio < (1.8 if shift == 0 else 1.2)  # too large where nothing differs


def test_results_do_not_depend_on_the_chunks(monkeypatch):
    real, fake = RNG.normal(size=(50, 4)), RNG.normal(size=(40, 4)) + 0.3
    whole = kid(real, fake), prdc(real, fake, 3)
    monkeypatch.setattr(distribution, "CHUNK", 7)
    assert kid(real, fake) == pytest.approx(whole[0])
    assert prdc(real, fake, 3) == whole[1]


def test_fid_of_equal_covariances_is_the_squared_distance_of_the_means():
    real = RNG.normal(size=(50, 6))
    shift = np.arange(6) / 3
    assert fid(real, real + shift) == pytest.approx(np.sum(shift**2))
    assert fid(real, real) == pytest.approx(0, abs=1e-9)


def test_fid_agrees_with_the_general_matrix_root():
    real, fake = RNG.normal(size=(60, 5)) @ RNG.normal(size=(5, 5)), RNG.normal(size=(70, 5)) + 1
    one, other = np.cov(real, rowvar=False), np.cov(fake, rowvar=False)
    cross = np.trace(scipy.linalg.sqrtm(one @ other)).real
    shift = np.sum((real.mean(axis=0) - fake.mean(axis=0)) ** 2)
    assert fid(real, fake) == pytest.approx(shift + np.trace(one) + np.trace(other) - 2 * cross)


def test_fid_of_one_dimension_and_with_fewer_images_than_features():
    assert fid(np.array([[0.0], [2.0]]), np.array([[5.0], [5.0]])) == pytest.approx(16 + 2)
    few, other = RNG.normal(size=(5, 40)), RNG.normal(size=(6, 40))
    assert fid(few, other) == pytest.approx(fid(other, few), rel=1e-6)


def test_prdc_on_points_of_a_line():
    real = np.array([[0.0], [1.0], [2.0], [10.0]])  # radii to the nearest other: 1, 1, 1, 8
    fake = np.array([[0.5], [3.5], [30.0]])  # radii: 3, 3, 26.5
    scores = prdc(real, fake, neighbours=1)
    assert scores.precision == pytest.approx(2 / 3)  # 3.5 lies in the wide ball round 10
    assert scores.recall == pytest.approx(4 / 4)  # the ball round 30 reaches down to 3.5
    assert scores.density == pytest.approx((2 + 1 + 0) / 3)
    assert scores.coverage == pytest.approx(3 / 4)  # of 2, the ball [1, 3] holds no fake point


def test_coverage_sees_a_dropped_mode_where_precision_does_not():
    modes = np.repeat([[-20.0, 0.0], [20.0, 0.0]], 100, axis=0)
    real, fake = modes + RNG.normal(size=(200, 2)), modes[:100] + RNG.normal(size=(100, 2))
    scores = prdc(real, fake, neighbours=5)
    assert scores.precision > 0.9
    assert scores.coverage < 0.55
    assert scores.recall < 0.55


def test_copies_lie_in_every_ball():
    real = RNG.normal(size=(30, 3))
    scores = prdc(real, real, 2)
    assert (scores.precision, scores.recall, scores.coverage) == (1, 1, 1)
    assert scores.density == pytest.approx(3 / 2)  # each ball holds its centre and its two neighbours


@pytest.mark.parametrize(
    ("real", "neighbours", "message"),
    [(np.zeros((3, 2)), 3, "3 real images"), (np.full((9, 2), np.nan), 3, "real images are not all finite")],
)
def test_too_few_images_and_broken_features_are_refused(real, neighbours, message):
    with pytest.raises(InputError, match=message):
        prdc(real, np.zeros((9, 2)), neighbours)
