"""A generator that enlarges by repeating pixels and smooths by convolutions: no grid of transposed convolutions."""

from itertools import pairwise

from torch import Tensor, nn

from models.layers import ConditionalBatchNorm, doublings, feature_maps, initialise


class UpsamplingGenerator(nn.Module):
    """(z (N, Z), labels (N,)) -> images (N, C, H, W) in [-1, 1].

    At full size, where a feature map costs most, there are half as many of them as a size below.

    Args:
        classes: of the labels, each with its own batch norm scales and shifts; 1: the labels are to be 0.

    Source: Odena et al. 2016, "Deconvolution and checkerboard artifacts".
    """

    def __init__(self, image_size: int, channels: int, latent_dim: int, features: int, classes: int) -> None:
        super().__init__()
        widths = [*feature_maps(features, doublings(image_size))[::-1], features // 2]
        self.widest = widths[0]
        self.linear = nn.Linear(latent_dim, self.widest * 16)
        self.convolutions = nn.ModuleList(
            nn.Conv2d(wide, narrow, 3, 1, 1, bias=False) for wide, narrow in pairwise(widths)
        )
        self.norms = nn.ModuleList(ConditionalBatchNorm(width, classes) for width in widths)
        self.upsample = nn.Upsample(scale_factor=2)
        self.to_image = nn.Conv2d(features // 2, channels, 3, 1, 1)
        initialise(self)

    def forward(self, z: Tensor, labels: Tensor) -> Tensor:
        x = self.norms[0](self.linear(z).view(-1, self.widest, 4, 4), labels).relu()
        for convolution, norm in zip(self.convolutions, self.norms[1:], strict=True):
            x = norm(convolution(self.upsample(x)), labels).relu()
        return self.to_image(x).tanh()
