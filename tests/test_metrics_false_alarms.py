"""How often experiments without an effect end in a verdict: by our intervals, and by the usual bootstrap."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
import pytest
import scipy.stats
import sklearn.metrics

from pipeline.metrics.auc_inference import Comparison, TestSet, detectable_gain, gain_estimate, judge

LEVEL = 0.05
RESAMPLES = 500  # of the bootstrap: enough for tails of 0.05 / 4
Scores = dict[str, np.ndarray]  # scheme -> (S, N)


@dataclass(frozen=True)
class Design:
    """An experiment to be simulated; ``seed_spread`` and the effects are in standard deviations of malignancy."""

    images: int = 400
    positives: int = 60
    group_size: int = 2  # images of one patient
    seeds: int = 3
    seed_spread: float = 0.3
    effect: float = 0.0
    placebo_effect: float = 0.0
    separation: float = 1.0  # of malignant from benign images by classic


# A small hospital's test set with two images of each patient, and the official one of ISIC 2017, without patients.
TEST_SETS = {"60_of_400": Design(), "117_of_600": Design(images=600, positives=117, group_size=1)}
USELESS = -2.0  # placebo effect with which classic alone guards the verdict
# The seeds carry four fifths of the error: the worst that the interval meets, and where a bootstrap fails.
WORST = replace(TEST_SETS["117_of_600"], placebo_effect=USELESS)
# A classifier with an AUC of 0.6, so that whatever gain 30 malignant images can show has room above it.
CELLS = {
    positives: Design(images, positives, separation=0.36) for positives, images in ((30, 200), (100, 500), (300, 1200))
}
SPREAD = 0.5**2 + 0.5**2 + 0.3**2 + 0.6**2 + 0.3**2  # variance of a score within a class, but for the seed's strength
Compare = Callable[[TestSet, Scores, np.random.Generator], Mapping[str, Comparison]]


def experiment(rng: np.random.Generator, design: Design) -> tuple[TestSet, Scores]:
    """The test set, and what classic, the placebo and two GAN schemes make of it."""
    n, seeds = design.images, design.seeds
    group = np.arange(n) // design.group_size
    groups = group[-1] + 1
    target = (np.arange(n) < design.positives).astype(np.int64)
    shared = design.separation * target + rng.normal(size=groups)[group] * 0.5 + rng.normal(size=n) * 0.5
    effects = {
        "classic": 0.0,
        "placebo": design.placebo_effect,
        "gan_0": design.effect,
        "gan_1": design.effect,
    }
    scores = {}
    for scheme, gain in effects.items():
        strength = gain + rng.normal(size=(seeds, 1)) * design.seed_spread  # of this training run
        of_scheme, of_run = rng.normal(size=n) * 0.3, rng.normal(size=(seeds, n)) * 0.6
        of_group = rng.normal(size=(seeds, groups))[:, group] * 0.3
        scores[scheme] = shared + strength * target + of_scheme + of_run + of_group
    return TestSet(target, group), scores


def by_both_errors(test: TestSet, scores: Scores, rng: np.random.Generator) -> dict[str, Comparison]:
    rivals = scores["classic"], scores["placebo"]
    return {
        scheme: Comparison(*(gain_estimate(test, scores[scheme], rival) for rival in rivals))
        for scheme in ("gan_0", "gan_1")
    }


@dataclass(frozen=True)
class Bootstrapped:
    """A gain with its resamples, in place of an Estimate."""

    value: float
    resamples: np.ndarray

    def p_value(self) -> float:
        """Below alpha where the percentile interval of 1 - alpha leaves out 0."""
        return 2 * min(np.mean(self.resamples <= 0), np.mean(self.resamples >= 0))


def by_bootstrap(test: TestSet, scores: Scores, rng: np.random.Generator) -> dict[str, Comparison]:
    """Seeds and groups of images drawn with replacement, the same ones for all schemes."""
    seeds = len(scores["classic"])
    seed_counts = rng.multinomial(seeds, np.full(seeds, 1 / seeds), size=RESAMPLES)
    groups = int(test.group.max()) + 1
    group_counts = rng.multinomial(groups, np.full(groups, 1 / groups), size=RESAMPLES)
    once = np.ones((1, groups), dtype=np.int64)
    value, drawn = {}, {}
    for scheme, of_seeds in scores.items():
        value[scheme] = resampled_auc(test, of_seeds, once).mean()
        drawn[scheme] = (resampled_auc(test, of_seeds, group_counts) * seed_counts).sum(axis=1) / seeds
    return {
        scheme: Comparison(
            *(
                Bootstrapped(value[scheme] - value[rival], drawn[scheme] - drawn[rival])
                for rival in ("classic", "placebo")
            )
        )
        for scheme in ("gan_0", "gan_1")
    }


def resampled_auc(test: TestSet, scores: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """(B, S) AUC of each seed with group g taken ``counts[b, g]`` times; of scores without ties."""
    times = counts.T[test.group].astype(np.float32)  # (N, B); sums of counts stay exact
    positive, negative = times[test.target == 1], times[test.target == 0]
    wins = []
    for score in scores:
        benign = score[test.target == 0]
        order = np.argsort(benign)
        below = np.searchsorted(benign[order], score[test.target == 1])
        outscored = np.concatenate([np.zeros_like(negative[:1]), np.cumsum(negative[order], axis=0)])
        wins.append((positive * outscored[below]).sum(axis=0))
    return np.stack(wins, axis=1) / (positive.sum(axis=0) * negative.sum(axis=0))[:, None]


def false_alarms(design: Design, trials: int, compare: Compare = by_both_errors) -> int:
    """Experiments without an effect that end in any verdict."""
    rng = np.random.default_rng(1)
    judged = [judge(compare(*experiment(rng, design), rng), LEVEL) for _ in range(trials)]
    return sum(any(one.verdict != "no detectable effect" for one in verdicts.values()) for verdicts in judged)


def upper_bound(events: int, trials: int) -> float:
    """Clopper and Pearson, one-sided 95 %."""
    return float(scipy.stats.beta.ppf(0.95, events + 1, trials - events))


def lower_bound(events: int, trials: int) -> float:
    """Clopper and Pearson, one-sided 95 %."""
    return float(scipy.stats.beta.ppf(0.05, events, trials - events + 1))


def test_a_resampled_auc_is_that_of_the_images_as_often_as_drawn():
    rng = np.random.default_rng(0)
    test, scores = experiment(rng, Design(images=40, positives=13))
    counts = rng.multinomial(20, np.full(20, 1 / 20), size=3)
    expected = [
        [sklearn.metrics.roc_auc_score(test.target, row, sample_weight=count[test.group]) for row in scores["classic"]]
        for count in counts
    ]
    assert resampled_auc(test, scores["classic"], counts) == pytest.approx(np.array(expected))


def test_no_effect_seldom_ends_in_a_verdict():
    assert upper_bound(false_alarms(WORST, 400), 400) < 0.09


@pytest.mark.proof
@pytest.mark.parametrize("seed_spread", [0.0, 0.1, 0.3])
@pytest.mark.parametrize("seeds", [3, 5, 10])
@pytest.mark.parametrize("test_set", TEST_SETS)
def test_false_alarms_stay_at_the_level_where_classic_alone_guards(test_set, seeds, seed_spread):
    design = replace(TEST_SETS[test_set], seeds=seeds, seed_spread=seed_spread, placebo_effect=USELESS)
    assert upper_bound(false_alarms(design, 2000), 2000) <= 0.065


@pytest.mark.proof
@pytest.mark.parametrize("seeds", [3, 5, 10])
@pytest.mark.parametrize("test_set", TEST_SETS)
def test_false_alarms_stay_at_the_level_with_an_equal_placebo(test_set, seeds):
    assert upper_bound(false_alarms(replace(TEST_SETS[test_set], seeds=seeds), 2000), 2000) <= 0.065


def test_a_percentile_bootstrap_would_raise_too_many():
    assert lower_bound(false_alarms(WORST, 50, by_bootstrap), 50) > LEVEL


@pytest.mark.proof
@pytest.mark.parametrize("seeds", [3, 5])
def test_a_percentile_bootstrap_would_not_stay_at_the_level(seeds):
    assert lower_bound(false_alarms(replace(WORST, seeds=seeds), 1000, by_bootstrap), 1000) > LEVEL


def test_a_large_effect_is_found():
    rng = np.random.default_rng(2)
    design = Design(images=400, positives=80, effect=1.5, seed_spread=0.05)
    trials = [judge(by_both_errors(*experiment(rng, design), rng), LEVEL) for _ in range(30)]
    assert np.mean([verdicts["gan_0"].verdict == "helps" for verdicts in trials]) > 0.9


def shifted(design: Design, gain: float) -> float:
    """The strength that moves an expected AUC by ``gain``: AUC = Phi(separation / sqrt(2 variance))."""
    scale = np.sqrt(2 * SPREAD)
    return float(
        scipy.stats.norm.ppf(scipy.stats.norm.cdf(design.separation / scale) + gain) * scale - design.separation
    )


def planted(positives: int, seeds: int, seed_spread: float) -> Design:
    """Runs of one scheme differ by ``seed_spread`` in AUC, as a standard deviation."""
    design = replace(CELLS[positives], seeds=seeds)
    return replace(design, seed_spread=shifted(design, seed_spread))


def test_the_planted_gain_is_the_gain_in_auc():
    design = replace(CELLS[300], images=60_000, positives=20_000, seeds=1, seed_spread=0.0)
    test, scores = experiment(np.random.default_rng(0), replace(design, effect=shifted(design, 0.1)))
    classic, gan = (sklearn.metrics.roc_auc_score(test.target, scores[name][0]) for name in ("classic", "gan_0"))
    assert gan - classic == pytest.approx(0.1, abs=0.01)


@pytest.mark.proof
@pytest.mark.parametrize("seed_spread", [0.0, 0.01, 0.03])
@pytest.mark.parametrize("seeds", [3, 5, 10])
@pytest.mark.parametrize("positives", CELLS)
def test_planted_truth_is_told(positives, seeds, seed_spread):
    """No effect seldom ends in a verdict; a gain of the size that the report prints is nearly always found."""
    design = planted(positives, seeds, seed_spread)
    alarms = upper_bound(false_alarms(design, 2000), 2000)
    rng = np.random.default_rng(2)
    reported = [detectable_gain(by_both_errors(*experiment(rng, design), rng)["gan_0"], LEVEL, 2) for _ in range(200)]
    helping = replace(design, effect=shifted(design, float(np.median(reported))))
    judged = [judge(by_both_errors(*experiment(rng, helping), rng), LEVEL)["gan_0"].verdict for _ in range(2000)]
    found = judged.count("helps") / 2000
    print(f"{positives} malignant, {seeds} seeds, spread {seed_spread}: alarms below {alarms:.3f}, found {found:.3f}")
    assert alarms <= 0.065
    assert found >= 0.93
    assert "harms" not in judged
