"""Independent random streams from the one ``seed`` of params.yaml."""

import hashlib
from collections.abc import Sequence


def derive_seed(seed: int, *names: object) -> int:
    """A 63-bit seed that depends on ``seed`` and on every name, in order.

    Streams of different names are independent, so adding one (a scheme, a class) leaves the others as they were.
    """
    text = "/".join(str(part) for part in (seed, *names))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1


def generator_seed(classifier_seed: int, gan_seeds: Sequence[int]) -> int:
    """Which generator's images a classifier sees: they take turns."""
    return gan_seeds[classifier_seed % len(gan_seeds)]
