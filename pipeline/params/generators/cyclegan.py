"""Settings of gan.variants.cyclegan."""

from pydantic import Field

from pipeline.params.generators.translators import TranslatorSettings


class Settings(TranslatorSettings):
    blocks: int = Field(ge=1)  # residual blocks of a generator
    cycle_weight: float = Field(gt=0)
    identity_weight: float = Field(ge=0)
    pool_size: int = Field(ge=0)  # earlier fakes that the discriminators are shown among new ones; 0: none
