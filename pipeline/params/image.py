"""The packed images."""

from typing import Literal

from pydantic import Field

from pipeline.params.section import Section


class ImageParams(Section):
    size: int = Field(ge=16, le=1024)  # px, both sides
    channels: Literal[1, 3]
    fit: Literal["crop", "squash"]  # centre square, or both sides scaled on their own
    max_unreadable: float = Field(ge=0, le=1)  # share of files that may be quarantined before the stage stops
