"""VARIANTS: gan.variant -> the function that builds it. Written by hand, sorted; see families.py for the contract."""

from collections.abc import Callable

from models.generators import (
    acgan,
    autoencoder,
    cgan,
    cyclegan,
    dcgan,
    ddpm,
    denoising_autoencoder,
    folder,
    pix2pix,
    projection,
    r3,
    sngan,
    vae,
    wgan,
    wgan_gp,
)
from models.generators.families import Family

VARIANTS: dict[str, Callable[..., Family]] = {
    "acgan": acgan.build,
    "autoencoder": autoencoder.build,
    "cgan": cgan.build,
    "cyclegan": cyclegan.build,
    "dcgan": dcgan.build,
    "ddpm": ddpm.build,
    "denoising_autoencoder": denoising_autoencoder.build,
    "folder": folder.build,
    "pix2pix": pix2pix.build,
    "projection": projection.build,
    "r3": r3.build,
    "sngan": sngan.build,
    "vae": vae.build,
    "wgan": wgan.build,
    "wgan_gp": wgan_gp.build,
}


def build_variant(name: str, **settings: object) -> Family:
    """Builds a registered variant. Raises ValueError, naming the known ones, for any other."""
    if name not in VARIANTS:
        raise ValueError(f"gan.variant is {name!r}; known variants: {', '.join(VARIANTS)}")
    return VARIANTS[name](**settings)
