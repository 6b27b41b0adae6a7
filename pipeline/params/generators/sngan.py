"""Settings of gan.variants.sngan."""

from pydantic import Field

from pipeline.params.generators.adversarial import AdversarialSettings


class Settings(AdversarialSettings):
    n_critic: int = Field(ge=1)  # discriminator steps per generator step
