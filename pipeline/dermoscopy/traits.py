"""The latent ABCD traits of a lesion: how they differ between the classes, and how well they can tell them apart."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, ndtr

FloatArray = NDArray[np.float64]

# Every latent is normal with unit variance, independent of the others given the class; benign lesions have mean 0
# and malignant ones these means. Together they set the best reachable AUC.
ASYMMETRY_SHIFT = 0.8
BORDER_SHIFT = 0.9
DIAMETER_SHIFT = 1.05
CONTINUOUS_SHIFTS = np.array([ASYMMETRY_SHIFT, BORDER_SHIFT, DIAMETER_SHIFT])
COLOURS_SHIFT = 1.35
COLOUR_CUTS = np.array([-0.1, 0.8, 1.6, 2.4])  # of the colours latent: 1 to 5 colours


@dataclass(frozen=True)
class Traits:
    """What a lesion looks like, as far as its class has a say in it."""

    asymmetry: float  # in (0, 1)
    border: float  # irregularity, in (0, 1)
    colours: int  # 1 to 5
    diameter: float  # mm


def draw_latents(targets: NDArray[np.int64], generator: np.random.Generator) -> tuple[FloatArray, NDArray[np.int64]]:
    """Latents of lesions whose classes are given.

    Args:
        targets: (N,), 0 benign, 1 malignant.

    Returns: asymmetry, border and diameter latents (N, 3), in standard deviations; the number of colours (N,), 1 to 5.
    """
    normal = generator.standard_normal((len(targets), 4))
    continuous = normal[:, :3] + targets[:, None] * CONTINUOUS_SHIFTS
    colours = 1 + np.searchsorted(COLOUR_CUTS, normal[:, 3] + targets * COLOURS_SHIFT)
    return continuous, colours


def colour_probabilities(target: int) -> FloatArray:
    """Probability of 1, 2, 3, 4 and 5 colours in a class. Returns: (5,)."""
    cumulative = ndtr(COLOUR_CUTS - target * COLOURS_SHIFT)
    return np.diff(np.concatenate([[0.0], cumulative, [1.0]]))


def malignancy_score(continuous: FloatArray, colours: NDArray[np.int64]) -> FloatArray:
    """Log likelihood ratio of malignant to benign: by Neyman and Pearson no other function ranks lesions better.

    Args:
        continuous: (N, 3), as from ``draw_latents``.
        colours: (N,), 1 to 5.

    Returns: (N,), in nats; positive is evidence for malignant.
    """
    from_continuous = continuous @ CONTINUOUS_SHIFTS - 0.5 * np.sum(CONTINUOUS_SHIFTS**2)
    return from_continuous + _colour_log_ratio()[colours - 1]


def malignancy_probability(score: FloatArray, malignant_share: float) -> FloatArray:
    """Bayes' rule.

    Args:
        score: (N,), nats.
        malignant_share: prior probability of malignant, in (0, 1).

    Returns: (N,), posterior probability of malignant.
    """
    return expit(score + np.log(malignant_share / (1 - malignant_share)))


def best_auc() -> float:
    """AUC of the likelihood ratio of the latents, exactly: an upper bound for every classifier of the images.

    The continuous part of the score is normal with variance d² and means ±d²/2, where d is the length of the shifts;
    given the two numbers of colours, the difference between a malignant and a benign score is therefore normal.
    """
    separation = float(np.sum(CONTINUOUS_SHIFTS**2))
    log_ratio = _colour_log_ratio()
    mean = separation + log_ratio[:, None] - log_ratio[None, :]  # (5 malignant, 5 benign)
    weight = np.outer(colour_probabilities(1), colour_probabilities(0))
    return float(np.sum(weight * ndtr(mean / np.sqrt(2 * separation))))


def visible_traits(continuous: FloatArray, colours: int) -> Traits:
    """The latents of one lesion on the scales that are drawn; one to one, so that no evidence is lost.

    Args:
        continuous: (3,), standard deviations.
    """
    asymmetry, border, diameter = continuous - CONTINUOUS_SHIFTS / 2
    return Traits(
        asymmetry=float(expit(1.6 * asymmetry)),
        border=float(expit(1.6 * border)),
        colours=colours,
        diameter=float(2.5 + 9.5 * expit(1.3 * diameter)),
    )


def _colour_log_ratio() -> FloatArray:
    return np.log(colour_probabilities(1) / colour_probabilities(0))
