"""The way down and the way up that segmenters share, and the U-Net of both.

Source: Ronneberger, Fischer and Brox 2015, figure 1.
Differs from the paper: convolutions keep the size (their 3x3 lose a border of 92 px in all) and are normalised.
"""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

Block = Callable[[int, int], nn.Module]  # features in, features out: (N, in, H, W) -> (N, out, H, W)
LEVELS = 5  # the full size and four halvings


def widths_of(features: int) -> list[int]:
    """Features of each level, finest first: doubled with every halving."""
    return [features * 2**level for level in range(LEVELS)]


def convolution(features_in: int, features_out: int) -> nn.Sequential:
    """3x3, batch norm, ReLU."""
    layer = nn.Conv2d(features_in, features_out, 3, padding=1, bias=False)
    return nn.Sequential(layer, nn.BatchNorm2d(features_out), nn.ReLU())


def double_convolution(features_in: int, features_out: int) -> nn.Sequential:
    return nn.Sequential(convolution(features_in, features_out), convolution(features_out, features_out))


class Encoder(nn.Module):
    """images (N, C, H, W) -> features of every level, finest first; the sides halved from each to the next."""

    def __init__(self, channels: int, widths: Sequence[int], block: Block) -> None:
        super().__init__()
        self.blocks = nn.ModuleList([block(*pair) for pair in pairwise([channels, *widths])])

    def forward(self, images: Tensor) -> list[Tensor]:
        maps = [self.blocks[0](images)]
        for block in self.blocks[1:]:
            maps.append(block(F.max_pool2d(maps[-1], 2)))
        return maps


class Decoder(nn.Module):
    """Features of every level, finest first -> features of the finest, (N, widths[0], H, W)."""

    def __init__(self, widths: Sequence[int], block: Block) -> None:
        super().__init__()
        steps = list(pairwise(widths))[::-1]
        self.up = nn.ModuleList([nn.ConvTranspose2d(wide, narrow, 2, 2) for narrow, wide in steps])
        self.blocks = nn.ModuleList([block(2 * narrow, narrow) for narrow, _ in steps])

    def forward(self, maps: list[Tensor]) -> Tensor:
        x = maps[-1]
        for up, block, skipped in zip(self.up, self.blocks, maps[-2::-1], strict=True):
            x = block(torch.cat([skipped, up(x)], dim=1))
        return x


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


@runtime_checkable
class Pretrainable(Protocol):
    """A segmenter that can begin with trained weights."""

    def load_pretrained(self, weights: dict[str, Tensor]) -> None:
        """Raises ValueError if they are of another network."""
