"""How much more often something is seen in one set than in another."""

from typing import NamedTuple

import numpy as np
from scipy import stats


class Count(NamedTuple):
    """How many of a set of images."""

    found: int
    images: int


class RateRatio(NamedTuple):
    """A ratio of two rates and its interval."""

    value: float
    low: float
    high: float


def rate_ratio(one: Count, other: Count, confidence: float) -> RateRatio:
    """How much more often something is found in one set than in the other.

    A half is added to every count, so that a set without any has a ratio too. Independent images are taken for
    granted: several photographs of one lesion make the interval a little too narrow. Source: Walter 1975, log-normal.
    """
    rates = [(count.found + 0.5) / (count.images + 0.5) for count in (one, other)]
    variance = sum(1 / (count.found + 0.5) - 1 / (count.images + 0.5) for count in (one, other))
    reach = stats.norm.ppf(0.5 + confidence / 2) * np.sqrt(variance)
    return RateRatio(*(float(rates[0] / rates[1] * np.exp(step)) for step in (0, -reach, reach)))
