"""A U-Net of residual blocks. Source: Zhang, Liu and Wang 2018."""

from torch import Tensor, nn

from models.segmenters.stages import UNet, convolution


class ResidualBlock(nn.Module):
    """Two convolutions and a shortcut around both, its features projected by a 1x1 convolution.

    (N, features_in, H, W) -> (N, features_out, H, W).
    Differs from the paper: the norm follows its convolution, and halving is left to the pooling between the blocks.
    """

    def __init__(self, features_in: int, features_out: int) -> None:
        super().__init__()
        second = nn.Conv2d(features_out, features_out, 3, padding=1, bias=False)
        self.inner = nn.Sequential(convolution(features_in, features_out), second, nn.BatchNorm2d(features_out))
        self.shortcut = nn.Sequential(nn.Conv2d(features_in, features_out, 1, bias=False), nn.BatchNorm2d(features_out))
        self.activation = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        return self.activation(self.inner(x) + self.shortcut(x))


def build(channels: int, features: int) -> UNet:
    return UNet(channels, features, ResidualBlock)
