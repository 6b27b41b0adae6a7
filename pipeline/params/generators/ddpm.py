"""Settings of gan.variants.ddpm."""

from typing import ClassVar

from pydantic import Field

from pipeline.params.generators.autoencoders import OneRate


class Settings(OneRate):
    ONLY_TURNS: ClassVar[str] = "would learn to draw it"
    LIBRARY: ClassVar[str | None] = "diffusers"

    generator_features: int = Field(ge=4)  # feature maps of the U-Net next to the image
    layers: int = Field(ge=1)  # residual blocks at every resolution
    sampling_steps: int = Field(ge=2, le=1000)  # of drawing an image
