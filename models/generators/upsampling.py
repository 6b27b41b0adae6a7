"""A generator that enlarges by repeating pixels and smooths by convolutions: no grid of transposed convolutions."""

from itertools import pairwise

import torch
from torch import Tensor, nn

from models.layers import ConditionalBatchNorm, doublings, feature_maps, initialise


class UpsamplingGenerator(nn.Module):
    """(z (N, Z), labels (N,)) -> images (N, C, H, W) in [-1, 1].

    At full size, where a feature map costs most, there are half as many of them as a size below.

    Args:
        classes: of the labels, each with its own batch norm scales and shifts; 1: the labels are to be 0.
        noise: whether the latents hold, behind z, a plane of noise for every size from 8 px. Without, ragged borders
            and speckles are made of z alone, and come out as streaks.

    Attributes:
        latents: how many values the latents hold: of z, then of each plane.

    Source: Odena et al. 2016, "Deconvolution and checkerboard artifacts"; noise: Karras et al. 2019, section 3.2.
    """

    def __init__(
        self, image_size: int, channels: int, latent_dim: int, features: int, classes: int, noise: bool = False
    ) -> None:
        super().__init__()
        widths = [*feature_maps(features, doublings(image_size))[::-1], features // 2]
        self.widest = widths[0]
        self.linear = nn.Linear(latent_dim, self.widest * 16)
        self.convolutions = nn.ModuleList(
            nn.Conv2d(wide, narrow, 3, 1, 1, bias=False) for wide, narrow in pairwise(widths)
        )
        self.noises = nn.ModuleList(Noise(width) for width in widths[1:]) if noise else None
        self.norms = nn.ModuleList(ConditionalBatchNorm(width, classes) for width in widths)
        self.upsample = nn.Upsample(scale_factor=2)
        self.to_image = nn.Conv2d(features // 2, channels, 3, 1, 1)
        self.latents = [latent_dim, *(4 ** (3 + stage) for stage in range(len(widths) - 1) if noise)]
        initialise(self)

    def forward(self, z: Tensor, labels: Tensor) -> Tensor:
        z, *planes = z.split(self.latents, dim=1)
        x = self.norms[0](self.linear(z).view(-1, self.widest, 4, 4), labels).relu()
        for stage, convolution in enumerate(self.convolutions):
            x = convolution(self.upsample(x))
            if self.noises is not None:
                x = self.noises[stage](x, planes[stage])
            x = self.norms[stage + 1](x, labels).relu()
        return self.to_image(x).tanh()


class Noise(nn.Module):
    """(x (N, F, S, S), plane (N, S * S)) -> x with the plane added to every feature map, as strongly as is learnt."""

    def __init__(self, features: int) -> None:
        super().__init__()
        self.strength = nn.Parameter(torch.full((1, features, 1, 1), 0.1))

    def forward(self, x: Tensor, plane: Tensor) -> Tensor:
        return x + (self.strength * plane.view(-1, 1, *x.shape[2:])).to(x.dtype)
