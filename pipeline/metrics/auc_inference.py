"""Intervals and tests for AUCs and paired AUC gains that carry both sources of error: training seeds and test images.

Each scheme is trained with the same S seeds and scored on the same test images. The variance of a mean over seeds is
taken as the sum of

- the seed part: the sample variance of the S paired gains, divided by S, with S - 1 degrees of freedom; where several
  seeds share a generator, generators are what was drawn, and their number counts (cluster-robust variance);
- the image part: the variance of the seed-averaged gain over test images, images of one group (patient, lesion,
  duplicates) moving together, with one degree of freedom less than the rarer class has groups.

What a seed and an image do together is in both parts, so the sum is on the safe side; in exchange it borrows the many
degrees of freedom of the images, without which three seeds (t = 4.3) could show almost nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtri, stdtr, stdtrit

from pipeline.errors import InputError
from pipeline.metrics.ranking import Score, Target, placements

Verdict = Literal["helps", "no detectable effect", "harms"]
POWER = 0.95  # of the smallest gain that the report prints
SEED_CONFIDENCE = 3 / 4  # at 2/3 verdicts from 3 seeds break the level; each step up makes the detectable gain larger


@dataclass(frozen=True)
class Cases:
    """What every scheme is scored on: images, or patients.

    Args:
        target: (N,), the stratum of each; the number of each is taken as fixed.
        group: (N,) of any labels; cases of one group are not independent.
    """

    target: Target
    group: NDArray[np.int64]


@dataclass(frozen=True)
class TestSet(Cases):
    """Images of two classes.

    Args:
        target: (N,) of 0 and 1.
        group: (N,) of any labels; images of one group are not independent.

    Raises:
        InputError: if a class has fewer than two groups: nothing can be said about its error.
    """

    __test__ = False  # no test class, whatever its name suggests to pytest

    def __post_init__(self) -> None:
        for value, kind in ((0, "benign"), (1, "malignant")):
            groups = len(np.unique(self.group[self.target == value]))
            if groups < 2:
                raise InputError(
                    f"the test split has {kind} images of {groups} groups (patients); an interval needs at least 2:"
                    " give more images or raise split.test"
                )


@dataclass(frozen=True)
class Estimate:
    """A mean over seeds and images with its standard error.

    ``seed_error`` is False with one seed: the error is then that of the test images alone, and too small.
    """

    value: float
    standard_error: float
    degrees_of_freedom: float
    seed_error: bool

    def interval(self, confidence: float) -> tuple[float, float]:
        half = self._quantile((1 + confidence) / 2) * self.standard_error
        return self.value - half, self.value + half

    def p_value(self) -> float:
        """Two-sided, of the hypothesis that the true value is 0."""
        if self.standard_error == 0:
            return 1.0 if self.value == 0 else 0.0
        return float(2 * stdtr(self.degrees_of_freedom, -abs(self.value) / self.standard_error))

    def detectable(self, alpha: float) -> float:
        """The smallest true value that a two-sided test at level ``alpha`` finds with 95 % power."""
        return (self._quantile(1 - alpha / 2) + self._quantile(POWER)) * self.standard_error

    def _quantile(self, probability: float) -> float:
        return float(stdtrit(self.degrees_of_freedom, probability))


def auc_estimate(test: TestSet, scores: Score) -> Estimate:
    """The AUC of a scheme, mean over seeds.

    Args:
        scores: (S, N), one row per seed.
    """
    return _estimate(test, *_auc_and_influence(test.target, scores))


def gain_estimate(
    test: TestSet, scores: Score, reference: Score, generator: NDArray[np.int64] | None = None
) -> Estimate:
    """The gain in AUC of a scheme over a reference, paired by seed and by image, mean over seeds.

    Args:
        scores, reference: (S, N), row s of both from the same seed.
        generator: (S,), which generator drew the images of each seed; None: no generator, or one for all, of which
            the error is then silent.
    """
    auc, influence = _auc_and_influence(test.target, scores)
    reference_auc, reference_influence = _auc_and_influence(test.target, reference)
    return _estimate(test, auc - reference_auc, influence - reference_influence, generator)


def mean_estimate(test: TestSet, values: Score) -> Estimate:
    """The mean of what a scheme does to the images of one class, such as calling them: over images and seeds.

    Args:
        test: of that class and any other; the mean is over the images with target 1.
        values: (S, N), row s from seed s.
    """
    positive = test.target == 1
    mean = values[:, positive].mean(axis=1)
    influence = np.zeros(values.shape)
    influence[:, positive] = (values[:, positive] - mean[:, None]) / positive.sum()
    return _estimate(test, mean, influence)


def mean_over_cases(group: NDArray[np.int64], values: Score, generator: NDArray[np.int64] | None = None) -> Estimate:
    """The mean over cases and seeds of any score of a case; of paired differences, the gain in it.

    Args:
        group: (N,) of any labels; cases of one group are not independent. At least two groups.
        values: (S, N), row s from seed s.
        generator: as in ``gain_estimate``.
    """
    mean = values.mean(axis=1)
    one_stratum = Cases(np.zeros(len(group), dtype=np.int64), group)
    return _estimate(one_stratum, mean, (values - mean[:, None]) / values.shape[1], generator)


def delong_estimate(target: Target, scores: Score, reference: Score) -> Estimate:
    """The same gain as papers test it: images independent whoever they are of, these training runs the only ones.

    A cross-check: where its p value is far below that of ``gain_estimate``, seeds or patients carry the difference.
    Source: DeLong et al. 1988, of the mean over seeds.

    Args:
        target: (N,) of 0 and 1, at least two of each.
    """
    auc, influence = _auc_and_influence(target, scores)
    reference_auc, reference_influence = _auc_and_influence(target, reference)
    alone = TestSet(target, np.arange(len(target)))
    variance, _ = image_variance(alone, (influence - reference_influence).mean(axis=0))
    return Estimate(float(np.mean(auc - reference_auc)), float(np.sqrt(variance)), np.inf, seed_error=False)


def _auc_and_influence(target: Target, scores: Score) -> tuple[Score, Score]:
    """Per seed the AUC (S,), and what each image adds to it (S, N); a row of influences sums to 0.

    Source: DeLong et al. 1988, structural components minus their mean, divided by the size of their class.
    """
    positive, negative = target == 1, target == 0
    influence = np.empty(scores.shape, dtype=np.float64)
    auc = np.empty(len(scores))
    for seed, score in enumerate(scores):
        of_positive = placements(score[positive], score[negative])
        of_negative = 1 - placements(score[negative], score[positive])
        auc[seed] = of_positive.mean()
        influence[seed, positive] = (of_positive - auc[seed]) / len(of_positive)
        influence[seed, negative] = (of_negative - auc[seed]) / len(of_negative)
    return auc, influence


def _estimate(test: Cases, per_seed: Score, influence: Score, generator: NDArray[np.int64] | None = None) -> Estimate:
    """Both parts summed."""
    image_part, image_freedom = image_variance(test, influence.mean(axis=0))
    seeds = len(per_seed)
    cluster = np.arange(seeds) if generator is None or len(np.unique(generator)) == 1 else generator
    seed_part, seed_freedom = seed_variance(per_seed, cluster)
    if seed_part < 1e-12 * float(np.max(np.abs(per_seed))) ** 2:
        seed_part = 0.0  # equal seeds but for rounding
    freedom = image_freedom
    if seed_part > 0:
        freedom = summed_freedom(seed_part, seed_freedom, image_part, image_freedom)
    error = float(np.sqrt(seed_part + image_part))
    return Estimate(float(per_seed.mean()), error, float(freedom), seed_error=seeds > 1)


def seed_variance(per_seed: Score, cluster: NDArray[np.int64]) -> tuple[float, float]:
    """Variance of the mean of (S,) values that whole clusters of seeds have in common, and its degrees of freedom.

    With one seed in each cluster it is the sample variance divided by S; with one cluster nothing can be said: 0.
    Source: Liang and Zeger 1986, of a mean, with the factor G / (G - 1) for G clusters.
    """
    names, member = np.unique(cluster, return_inverse=True)
    if len(names) == 1:
        return 0.0, 0.0
    sums = np.bincount(member, weights=per_seed - per_seed.mean())
    return float(len(names) / (len(names) - 1) * np.sum(sums**2)) / len(per_seed) ** 2, len(names) - 1.0


def summed_freedom(few: float, few_freedom: float, many: float, many_freedom: float) -> float:
    """Degrees of freedom of the sum of two variances, the first estimated from a few values only.

    Source: Satterthwaite 1946, eq. 17.
    Differs from the paper: the first variance enters at the upper end of its one-sided interval of SEED_CONFIDENCE. As
    estimated it is more often too small than too large, and then lends degrees of freedom that are not there. In the
    worst case, seeds that carry over nine tenths of the error and do not interact with the images, a test at 5 % raises
    5.1 % false alarms with 3 seeds (7.8 % as in the paper), 5.7 % (12.8 %) with 2 and 5.0 % (5.8 %) with 5.
    """
    few *= few_freedom / chdtri(few_freedom, SEED_CONFIDENCE)
    return (few + many) ** 2 / (few**2 / few_freedom + many**2 / many_freedom)


def image_variance(test: Cases, influence: Score) -> tuple[float, float]:
    """Variance of a sum of influences when whole groups of images are drawn, and its degrees of freedom.

    With one image per group it is the variance of DeLong et al. 1988.
    Source: Obuchowski 1997, for clustered data.

    Args:
        influence: (N,), summing to 0 over each stratum.
    """
    _, member = np.unique(test.group, return_inverse=True)
    groups = int(member.max()) + 1
    sums, sizes = [], []
    for value in np.unique(test.target):
        chosen = test.target == value
        sums.append(np.bincount(member[chosen], weights=influence[chosen], minlength=groups))
        sizes.append(len(np.unique(member[chosen])))
    variance = sum(size / (size - 1) * np.sum(total**2) for total, size in zip(sums, sizes, strict=True))
    variance += 2 * groups / (groups - 1) * sum(np.sum(first * second) for first, second in combinations(sums, 2))
    return float(variance), float(min(sizes) - 1)


def holm(p_values: Mapping[str, float]) -> dict[str, float]:
    """Adjusted p values: those below alpha may all be called effects, with a chance of alpha of any false one.

    Source: Holm 1979, step-down.
    """
    adjusted: dict[str, float] = {}
    largest = 0.0
    for rank, (name, p_value) in enumerate(sorted(p_values.items(), key=lambda item: item[1])):
        largest = max(largest, min(1.0, (len(p_values) - rank) * p_value))
        adjusted[name] = largest
    return adjusted


class Comparison(NamedTuple):
    """A GAN scheme's gains over the two schemes that it is judged by."""

    over_classic: Estimate
    over_placebo: Estimate


class Judgement(NamedTuple):
    verdict: Verdict
    p_holm: float


def directed_p_value(comparison: Comparison) -> float:
    """The p value of the only effect that the signs of the gains allow.

    Below classic: of the gain over classic. Above: the larger of the two (intersection-union, Berger 1982), or 1 when
    the placebo is not beaten. Where neither gain is real, each branch rejects with at most alpha / 2.
    """
    over_classic, over_placebo = comparison
    if over_classic.value < 0:
        return over_classic.p_value()
    if over_placebo.value <= 0:
        return 1.0
    return max(over_classic.p_value(), over_placebo.p_value())


def judge(comparisons: Mapping[str, Comparison], alpha: float) -> dict[str, Judgement]:
    """The verdict on every GAN scheme, Holm over all of them.

    helps: beats both classic and the placebo; harms: is below classic; else no detectable effect.
    """
    adjusted = holm({name: directed_p_value(comparison) for name, comparison in comparisons.items()})
    return {name: Judgement(_verdict(comparisons[name], adjusted[name], alpha), adjusted[name]) for name in comparisons}


def _verdict(comparison: Comparison, p_holm: float, alpha: float) -> Verdict:
    if p_holm >= alpha:
        return "no detectable effect"
    return "harms" if comparison.over_classic.value < 0 else "helps"


def detectable_gain(comparison: Comparison, alpha: float, schemes: int) -> float:
    """The smallest true gain that a scheme's test finds with 95 % power, against the less certain of its two rivals.

    Args:
        schemes: GAN schemes judged together; the level is alpha / schemes, Holm's strictest.
    """
    return max(estimate.detectable(alpha / schemes) for estimate in comparison)
