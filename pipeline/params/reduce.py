"""How much of the usable metadata is kept, and in what proportion of the classes."""

from typing import Literal

from pydantic import Field

from pipeline.params.section import Section


class ReduceParams(Section):
    size: int = Field(gt=0)  # images kept at the most
    balance: Literal["keep_ratio", "balanced"]  # malignant share as in the source, or one half
