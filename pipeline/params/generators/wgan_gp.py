"""Settings of gan.variants.wgan_gp."""

from pydantic import Field

from pipeline.params.generators.adversarial import AdversarialSettings


class Settings(AdversarialSettings):
    n_critic: int = Field(ge=1)  # discriminator steps per generator step
    penalty_weight: float = Field(gt=0)  # lambda
    penalty_interval: int = Field(ge=1)  # discriminator steps from one penalty to the next, which counts so many times
