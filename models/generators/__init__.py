"""VARIANTS: gan.variant -> the function that builds it. Written by hand, sorted; see families.py for the contract."""

from collections.abc import Callable

from models.generators import dcgan, sngan
from models.generators.families import Adversarial

VARIANTS: dict[str, Callable[..., Adversarial]] = {
    "dcgan": dcgan.build,
    "sngan": sngan.build,
}


def build_variant(name: str, **settings: object) -> Adversarial:
    """Builds a registered variant. Raises ValueError, naming the known ones, for any other."""
    if name not in VARIANTS:
        raise ValueError(f"gan.variant is {name!r}; known variants: {', '.join(VARIANTS)}")
    return VARIANTS[name](**settings)
