"""Drawing from the trained generators."""

from pydantic import Field

from pipeline.params.section import Section


class SynthesizeParams(Section):
    count: int = Field(gt=0)  # images per class and generator
    batch_size: int = Field(gt=0)
    copy_distance: float = Field(
        ge=0
    )  # root mean square of [0, 1] pixels at 16 px; nearer to a training image is a copy
