"""What the block of every translator holds."""

from typing import ClassVar

from pipeline.params.generators.adversarial import TwoRates


class TranslatorSettings(TwoRates):
    AUGMENTATIONS: ClassVar[tuple[str, ...]] = ("flip", "dihedral")  # what keeps a source and its target together
