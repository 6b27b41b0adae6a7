"""The verdict."""

from pydantic import Field

from pipeline.params.section import Section


class EvaluateParams(Section):
    confidence: float = Field(gt=0.5, lt=1)  # of every interval; 1 - confidence is the level of the tests
    calibration_bins: int = Field(ge=2)
