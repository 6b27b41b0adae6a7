"""The detectors of what lies on the skin but is no lesion."""

from typing import Literal

from pydantic import Field

from pipeline.params.section import Section

Kind = Literal["hair", "ruler", "ink", "plaster", "frame"]


class ArtefactsParams(Section):
    kinds: list[Kind]  # what is looked for; none: nothing is
    image_size: int = Field(ge=32, multiple_of=4)  # px; images are resized to it
    photographs: int = Field(ge=100)  # drawn to learn from
    width: int = Field(ge=4)  # feature maps of the finest level; the coarsest has four times as many
    steps: int = Field(gt=0)
    batch_size: int = Field(ge=4)
    learning_rate: float = Field(gt=0)
