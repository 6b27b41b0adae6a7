"""What the block of every translator holds."""

from typing import ClassVar

from pipeline.params.generators.adversarial import TwoRates


class TranslatorSettings(TwoRates):
    ONLY_TURNS: ClassVar[str] = "would tear a source from its target"
