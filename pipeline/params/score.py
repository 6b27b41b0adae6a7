"""Scoring synthetic images."""

from pydantic import Field

from pipeline.params.section import Section


class ScoreParams(Section):
    pairs: int = Field(gt=0)  # synthetic images compared by the full-reference measures
    neighbours: int = Field(gt=0)  # k of precision, recall, density and coverage
