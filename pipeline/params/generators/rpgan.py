"""Settings of gan.variants.rpgan."""

from pydantic import Field

from pipeline.params.generators.adversarial import AdversarialSettings


class Settings(AdversarialSettings):
    penalty_weight: float = Field(gt=0)  # gamma
    penalty_interval: int = Field(ge=1)  # discriminator steps from one penalty to the next, which counts so many times
