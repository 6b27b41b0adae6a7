"""Settings of gan.variants.wgan."""

from pydantic import Field

from pipeline.params.generators.adversarial import AdversarialSettings


class Settings(AdversarialSettings):
    n_critic: int = Field(ge=1)  # discriminator steps per generator step
    clip: float = Field(gt=0)  # after every step the discriminator's weights are clipped to [-clip, clip]
