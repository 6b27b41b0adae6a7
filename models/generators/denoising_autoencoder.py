"""An autoencoder that is to undo noise. Source: Vincent et al. 2008."""

import torch
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
    noise: float,
    **training: float,
) -> Autoencoder:
    """The settings are those of ``gan.variants.denoising_autoencoder``."""

    def loss(encode: Code, decode: Code, images: Tensor, rng: Generator) -> dict[str, Tensor]:
        noisy = images + noise * torch.randn(images.shape, generator=rng, device=images.device)
        return {"reconstruction": squared_error(images, decode(encode(noisy)))}

    return Autoencoder(
        generator=CodeGenerator(
            image_size, channels, latent_dim, generator_features, encoder_features, latent_dim, fitted=True
        ),
        latent_dim=latent_dim,
        training=OneRate(**training),
        loss=loss,
    )
