"""Settings of gan.variants.denoising_autoencoder."""

from pydantic import Field

from pipeline.params.generators.autoencoders import AutoencoderSettings


class Settings(AutoencoderSettings):
    noise: float = Field(gt=0)  # standard deviation of what is added to images in [-1, 1]
