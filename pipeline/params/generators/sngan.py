"""Settings of gan.variants.sngan."""

from pydantic import Field

from pipeline.params.section import Section


class Settings(Section):
    latent_dim: int = Field(gt=0)
    features: int = Field(ge=4)  # feature maps next to the image; doubled at every halving
    n_critic: int = Field(ge=1)  # discriminator steps per generator step
