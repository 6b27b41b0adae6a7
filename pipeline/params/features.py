"""The self-supervised feature extractor behind KID, FID, precision and recall."""

from pydantic import Field

from pipeline.params.section import Section


class FeaturesParams(Section):
    image_size: int = Field(ge=16)  # px; images are resized to it
    width: int = Field(ge=4)  # feature maps of the first stage; the last has eight times as many
    steps: int = Field(gt=0)
    batch_size: int = Field(ge=8)
    learning_rate: float = Field(gt=0)
    temperature: float = Field(gt=0)
