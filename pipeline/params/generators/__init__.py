"""SETTINGS: gan.variant -> the pydantic class of its block under gan.variants. Written by hand, sorted."""

from pipeline.params.generators import (
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
from pipeline.params.section import VariantSettings

SETTINGS: dict[str, type[VariantSettings]] = {
    "acgan": acgan.Settings,
    "autoencoder": autoencoder.Settings,
    "cgan": cgan.Settings,
    "cyclegan": cyclegan.Settings,
    "dcgan": dcgan.Settings,
    "ddpm": ddpm.Settings,
    "denoising_autoencoder": denoising_autoencoder.Settings,
    "folder": folder.Settings,
    "pix2pix": pix2pix.Settings,
    "projection": projection.Settings,
    "r3": r3.Settings,
    "sngan": sngan.Settings,
    "vae": vae.Settings,
    "wgan": wgan.Settings,
    "wgan_gp": wgan_gp.Settings,
}
