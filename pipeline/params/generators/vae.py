"""Settings of gan.variants.vae."""

from typing import ClassVar

from pydantic import Field

from pipeline.params.generators.autoencoders import AutoencoderSettings


class Settings(AutoencoderSettings):
    ONLY_TURNS: ClassVar[str] = "would learn to draw it"

    kl_weight: float = Field(gt=0)  # of the KL term; 1: pixels of variance 1
