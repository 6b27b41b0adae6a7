"""The U-Net. Source: Ronneberger, Fischer and Brox 2015; see stages.py for where it differs."""

from models.segmenters.stages import UNet, double_convolution


def build(channels: int, features: int) -> UNet:
    return UNet(channels, features, double_convolution)
