"""Whether an extractor sees what makes images bad: KID must be near 0 between halves of a set, and rise with damage."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.feature_space import FeatureSpace
from pipeline.metrics.damages import DAMAGES
from pipeline.metrics.distribution import Kid, kid

HALF = 500  # images of a half at the most
CERTAIN = 2.0  # standard errors by which the strongest damage must stand out


def validate(
    space: FeatureSpace, training: NDArray[np.uint8], held_out: NDArray[np.uint8], rng: np.random.Generator
) -> dict[str, Any]:
    """The content of reports/features.json.

    Args:
        training, held_out: (N, H, W, C) images that the extractor was trained on, and others.

    Returns:
        halves: KID between two halves of the training images.
        held_out: of a half to the held-out images; far above ``halves``, the extractor knows its own images.
        damages: of a half to the other one damaged, by kind, from the weakest to the strongest.
        failed: the kinds with which KID does not rise at every step, or that do not stand out at their strongest.
        valid: whether none failed.
        n: images of a half.
    """
    order = rng.permutation(len(training))
    half = min(len(training) // 2, HALF)
    reference, other = space.features(training[order[:half]]), training[order[half : 2 * half]]
    halves = kid(reference, space.features(other))
    damages = {
        kind: [(strength, kid(reference, space.features(damage(other, strength, rng)))) for strength in strengths]
        for kind, (damage, strengths) in DAMAGES.items()
    }
    failed = [kind for kind, found in damages.items() if not _is_seen(halves, [value for _, value in found])]
    return {
        "halves": _entry(halves),
        "held_out": _entry(kid(reference, space.features(held_out))),
        "damages": {
            kind: [{"strength": strength, **_entry(value)} for strength, value in found]
            for kind, found in damages.items()
        },
        "failed": failed,
        "valid": not failed,
        "n": half,
    }


def _is_seen(halves: Kid, damaged: list[Kid]) -> bool:
    values = [halves.value, *(one.value for one in damaged)]
    margin = CERTAIN * np.hypot(halves.standard_error, damaged[-1].standard_error)
    return bool(np.all(np.diff(values) > 0) and values[-1] - values[0] > margin)


def _entry(value: Kid) -> dict[str, float]:
    return {"kid": value.value, "kid_std": value.standard_error}
