"""Settings of gan.variants.pix2pix."""

from typing import Literal

from pydantic import Field

from pipeline.params.generators.translators import TranslatorSettings


class Settings(TranslatorSettings):
    sources: Literal["masks", "channel_0", "channel_1", "channel_2"]  # what is translated to the whole image
    latent_dim: int = Field(gt=0)
    label_smoothing: float = Field(gt=0.5, le=1)  # the discriminator's target for real pairs; 1: none
    l1_weight: float = Field(ge=0)  # of the distance to the target beside the adversarial loss
