"""Settings of gan.variants.sngan."""

from pydantic import Field

from pipeline.params.generators.adversarial import AdversarialSettings


class Settings(AdversarialSettings):
    latent_dim: int = Field(gt=0)
    generator_features: int = Field(ge=4)  # feature maps next to the image; doubled at every halving
    discriminator_features: int = Field(ge=4)  # the same
    n_critic: int = Field(ge=1)  # discriminator steps per generator step
