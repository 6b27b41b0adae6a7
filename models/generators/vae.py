"""Variational autoencoder: its codes are held to N(0, I), from which images are drawn. Source: Kingma, Welling 2014."""

import torch
from torch import Generator, Tensor

from models.generators.codes import CodeGenerator, squared_error
from models.generators.families import Autoencoder, Code, OneRate
from models.losses import kl_to_standard_normal


def build(
    image_size: int,
    channels: int,
    classes: int,
    latent_dim: int,
    generator_features: int,
    encoder_features: int,
    kl_weight: float,
    **training: float,
) -> Autoencoder:
    """The settings are those of ``gan.variants.vae``. Loss: Kingma and Welling 2014, eq. 10, with one draw of z."""

    def loss(encode: Code, decode: Code, images: Tensor, rng: Generator) -> dict[str, Tensor]:
        mean, log_variance = encode(images).float().chunk(2, dim=1)
        z = torch.randn(mean.shape, generator=rng, device=mean.device)
        restored = decode(mean + (0.5 * log_variance).exp() * z)
        kl = kl_weight * kl_to_standard_normal(mean, log_variance)
        return {"reconstruction": squared_error(images, restored), "kl": kl}

    return Autoencoder(
        generator=CodeGenerator(
            image_size, channels, latent_dim, generator_features, encoder_features, 2 * latent_dim, fitted=False
        ),
        latent_dim=latent_dim,
        training=OneRate(**training),
        loss=loss,
    )
