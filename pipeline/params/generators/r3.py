"""Settings of gan.variants.r3."""

from pydantic import Field

from pipeline.params.generators.adversarial import AdversarialSettings


class Settings(AdversarialSettings):
    conditional: bool  # told the class, and trained on both
    blocks: int = Field(ge=1)  # residual blocks at every resolution
    penalty_weight: float = Field(gt=0)  # gamma
    penalty_interval: int = Field(ge=1)  # discriminator steps from one penalty to the next, which counts so many times
