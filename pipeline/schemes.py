"""The training schemes of a run, as the stages that compare them declare them."""

from pydantic import Field

from pipeline.params.classifier import FilteredScheme, GanScheme, RealScheme
from pipeline.params.evaluate import EvaluateParams
from pipeline.params.reader import StageParams


class SchemesParams(StageParams):
    """What a stage that compares schemes declares."""

    seeds: list[int] = Field(alias="classifier.seeds")
    gan_seeds: list[int] = Field(alias="gan.seeds")
    real_schemes: dict[str, RealScheme] = Field(alias="classifier.real_schemes")
    gan_schemes: dict[str, GanScheme] = Field(alias="classifier.gan_schemes")
    filtered_schemes: dict[str, FilteredScheme] = Field(alias="classifier.filtered_schemes")
    evaluate: EvaluateParams = Field(alias="evaluate")

    @property
    def synthetic_schemes(self) -> list[str]:
        """Those that the verdict is about."""
        return [*self.gan_schemes, *self.filtered_schemes]
