"""Autoencoder; it draws from the normal distribution of its codes. Source: Hinton and Salakhutdinov 2006."""

from torch import Generator, Tensor

from models.generators.codes import CodeGenerator, squared_error
from models.generators.families import Autoencoder, Code, OneRate


def build(
    image_size: int,
    channels: int,
    classes: int,
    latent_dim: int,
    generator_features: int,
    encoder_features: int,
    **training: float,
) -> Autoencoder:
    """The settings are those of ``gan.variants.autoencoder``."""

    def loss(encode: Code, decode: Code, images: Tensor, rng: Generator) -> dict[str, Tensor]:
        return {"reconstruction": squared_error(images, decode(encode(images)))}

    return Autoencoder(
        generator=CodeGenerator(
            image_size, channels, latent_dim, generator_features, encoder_features, latent_dim, fitted=True
        ),
        latent_dim=latent_dim,
        training=OneRate(**training),
        loss=loss,
    )
