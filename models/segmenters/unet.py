"""The U-Net. Source: Ronneberger, Fischer and Brox 2015."""

from torch import Tensor, nn

from models.segmenters.stages import Block, Decoder, Encoder, double_convolution, widths_of


class UNet(nn.Module):
    """images (N, C, H, W) in [-1, 1] -> logits (N, H, W).

    Args:
        features: at the full size.
        block: of every level, down and up.
    """

    def __init__(self, channels: int, features: int, block: Block) -> None:
        super().__init__()
        widths = widths_of(features)
        self.encoder = Encoder(channels, widths, block)
        self.decoder = Decoder(widths, block)
        self.head = nn.Conv2d(features, 1, 1)

    def forward(self, images: Tensor) -> Tensor:
        return self.head(self.decoder(self.encoder(images))).squeeze(1)


def build(channels: int, features: int) -> UNet:
    return UNet(channels, features, double_convolution)
