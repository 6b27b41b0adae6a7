"""The balanced subset."""

from typing import Literal

from pydantic import Field

from pipeline.params.section import Section


class ReduceParams(Section):
    size: int = Field(gt=0)  # images kept at the most
    balance: Literal["keep_ratio", "balanced"]  # malignant share as in the source, or one half
