"""Every measure against an independent implementation of it, on random data."""

from itertools import combinations

import numpy as np
import piq
import pytest
import scipy.linalg
import scipy.stats
import sklearn.calibration
import sklearn.metrics
import torch
from prdc import compute_prdc
from torch_fidelity.metric_fid import KEY_METRIC_FID, fid_features_to_statistics, fid_statistics_to_metric
from torch_fidelity.metric_kid import KEY_METRIC_KID_MEAN, kid_features_to_metric
from torch_fidelity.metric_prc import KEY_METRIC_PRECISION, KEY_METRIC_RECALL, prc_features_to_metric

from pipeline.metrics import classification
from pipeline.metrics.auc_inference import SEED_CONFIDENCE, holm, summed_freedom
from pipeline.metrics.distribution import fid, kid, prdc
from pipeline.metrics.ranking import roc_auc
from pipeline.score_synthetic import mean_measures


def agrees(value: object) -> object:
    return pytest.approx(value, rel=1e-4, abs=1e-12)


# Images of each side and features: many of few, few of many, and unlike numbers.
@pytest.fixture(params=[(300, 300, 8), (60, 60, 128), (150, 90, 24)], ids=str)
def features(request: pytest.FixtureRequest) -> tuple[np.ndarray, np.ndarray]:
    m, n, dimensions = request.param
    rng = np.random.default_rng(m)
    mixing = rng.normal(size=(dimensions, dimensions)) / np.sqrt(dimensions)
    return rng.normal(size=(m, dimensions)) @ mixing, rng.normal(size=(n, dimensions)) * 0.9 + 0.2


def test_kid_is_that_of_torch_fidelity(features):
    size = min(len(side) for side in features)
    real, fake = (side[:size] for side in features)  # it takes equal numbers only; one subset of all is no subset
    theirs = kid_features_to_metric(
        torch.from_numpy(fake), torch.from_numpy(real), kid_subsets=1, kid_subset_size=size, verbose=False
    )
    assert kid(real, fake).value == agrees(theirs[KEY_METRIC_KID_MEAN])


def test_fid_is_that_of_torch_fidelity_and_of_the_matrix_root(features):
    real, fake = features
    statistics = [fid_features_to_statistics(torch.from_numpy(side)) for side in features]
    assert fid(real, fake) == agrees(fid_statistics_to_metric(*statistics, verbose=False)[KEY_METRIC_FID])
    one, other = (np.cov(side, rowvar=False) for side in features)
    shift = np.sum((real.mean(axis=0) - fake.mean(axis=0)) ** 2)
    root = scipy.linalg.sqrtm(one @ other).real
    assert fid(real, fake) == agrees(shift + np.trace(one + other - 2 * root))


@pytest.mark.parametrize("neighbours", [1, 3, 5])
def test_precision_recall_density_and_coverage_are_those_of_their_authors(features, neighbours):
    real, fake = features
    ours = prdc(real, fake, neighbours)._asdict()
    assert ours == agrees(compute_prdc(real, fake, nearest_k=neighbours))
    theirs = prc_features_to_metric(
        torch.from_numpy(fake), torch.from_numpy(real), prc_neighborhood=neighbours, verbose=False
    )
    assert ours["precision"] == agrees(theirs[KEY_METRIC_PRECISION])
    assert ours["recall"] == agrees(theirs[KEY_METRIC_RECALL])


@pytest.fixture(params=["continuous", "tied"])
def predictions(request: pytest.FixtureRequest) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(11)
    target = (rng.random(400) < 0.2).astype(np.int64)
    probability = 1 / (1 + np.exp(-rng.normal(size=400) - target))
    return target, (probability * 37).round() / 37 if request.param == "tied" else probability  # on no edge of ten bins


def test_auc_is_that_of_scikit_learn_and_of_mann_and_whitney(predictions):
    target, probability = predictions
    assert roc_auc(target, probability) == agrees(sklearn.metrics.roc_auc_score(target, probability))
    malignant, benign = (probability[target == value] for value in (1, 0))
    wins = scipy.stats.mannwhitneyu(malignant, benign).statistic
    assert roc_auc(target, probability) == agrees(wins / (len(malignant) * len(benign)))


def test_curves_are_those_of_scikit_learn(predictions):
    target, probability = predictions
    theirs = sklearn.metrics.roc_curve(target, probability, drop_intermediate=False)
    assert classification.roc_curve(target, probability) == (agrees(theirs[0]), agrees(theirs[1]))
    points = [(probability[target == 1] >= at, target[probability >= at]) for at in np.unique(probability)[::-1]]
    recall, precision = classification.pr_curve(target, probability)
    assert recall == agrees([called.mean() for called, _ in points])
    assert precision == agrees([outcome.mean() for _, outcome in points])
    steps = np.diff(np.append(0, [called.mean() for called, _ in points]))
    expected = np.sum(steps * [outcome.mean() for _, outcome in points])
    assert classification.average_precision(target, probability) == agrees(expected)


def test_calibration_is_that_of_scikit_learn(predictions):
    target, probability = predictions
    mean, observed, _ = classification.calibration_curve(target, probability, bins=10)
    theirs = sklearn.calibration.calibration_curve(target, probability, n_bins=10)
    assert (observed, mean) == (agrees(theirs[0]), agrees(theirs[1]))
    assert classification.brier(target, probability) == agrees(np.mean((target - probability) ** 2))


def test_rates_at_a_threshold_are_those_of_scikit_learn(predictions):
    target, probability = predictions
    threshold = classification.threshold_at_specificity(target, probability, 0.9)
    called = probability >= threshold
    recall = [sklearn.metrics.recall_score(target, called, pos_label=value) for value in (0, 1)]
    assert classification.specificity(target, probability, threshold) == agrees(recall[0])
    assert classification.sensitivity(target, probability, threshold) == agrees(recall[1])
    assert classification.balanced_accuracy(target, probability, threshold) == agrees(np.mean(recall))


def test_holm_is_the_closed_test_of_bonferroni():
    p_values = dict(zip("abcdef", np.random.default_rng(2).random(6) ** 3, strict=True))
    subsets = [subset for size in range(1, 7) for subset in combinations(p_values, size)]
    closed = {
        name: max(min(1.0, len(subset) * min(p_values[one] for one in subset)) for subset in subsets if name in subset)
        for name in p_values
    }
    assert holm(p_values) == agrees(closed)


def test_degrees_of_freedom_are_those_of_welch():
    rng = np.random.default_rng(4)
    few, many = rng.normal(size=5), 2 * rng.normal(size=60)
    expected = scipy.stats.ttest_ind(few, many, equal_var=False).df
    errors = [np.var(sample, ddof=1) / len(sample) for sample in (few, many)]
    caution = 4 / scipy.stats.chi2.ppf(1 - SEED_CONFIDENCE, 4)  # ours alone: the upper end of the first variance
    assert summed_freedom(errors[0] / caution, 4, errors[1], 59) == agrees(expected)


PIQ = {
    "psnr": piq.psnr,
    "ssim": piq.ssim,
    "ms_gmsd": piq.multi_scale_gmsd,
    "mdsi": piq.mdsi,
    "haarpsi": piq.haarpsi,
}


@pytest.mark.parametrize("channels", [1, 3])
def test_the_five_measures_are_those_of_piq_one_pair_at_a_time(channels):
    rng = np.random.default_rng(channels)
    images, noise = rng.random((2, 5, channels, 32, 32), dtype=np.float32)
    references = torch.from_numpy(0.7 * images + 0.3 * noise)
    pairs = list(zip(torch.from_numpy(images).split(1), references.split(1), strict=True))
    colours = [(x.repeat(1, 3 // channels, 1, 1), y.repeat(1, 3 // channels, 1, 1)) for x, y in pairs]
    expected = {
        name: np.mean([float(measure(x, y)) for x, y in (colours if name == "mdsi" else pairs)])
        for name, measure in PIQ.items()
    }
    assert mean_measures(torch.from_numpy(images), references) == agrees(expected)
