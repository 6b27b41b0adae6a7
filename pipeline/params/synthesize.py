"""Drawing from the trained generators."""

from pydantic import Field

from pipeline.params.section import Section


class SynthesizeParams(Section):
    count: int = Field(gt=0)  # images per class and generator
    batch_size: int = Field(gt=0)
    copy_likeness: float = Field(gt=0, le=1)  # from which on an image is a copy; see copies.py
