"""Settings of gan.variants.autoencoder."""

from pipeline.params.generators.autoencoders import AutoencoderSettings


class Settings(AutoencoderSettings):
    pass
