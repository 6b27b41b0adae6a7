"""What the block of every autoencoder holds."""

from pydantic import Field

from pipeline.params.section import VariantSettings


class OneRate(VariantSettings):
    learning_rate: float = Field(gt=0)
    beta1: float = Field(ge=0, lt=1)  # of Adam
    beta2: float = Field(gt=0, lt=1)


class AutoencoderSettings(OneRate):
    latent_dim: int = Field(gt=0)
    generator_features: int = Field(ge=4)  # feature maps of the decoder next to the image; doubled at every halving
    encoder_features: int = Field(ge=4)  # the same
