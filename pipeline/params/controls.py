"""Controls: what can be told without the lesion."""

from typing import Literal

from pipeline.params.classes import ClassName
from pipeline.params.section import Section


class ControlsParams(Section):
    views: list[Literal["border_only", "lesion_hidden"]]  # a classifier is trained on each
    synthetic: list[ClassName]  # a classifier is trained to tell each generator's images of these classes
