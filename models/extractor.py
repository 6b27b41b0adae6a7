"""The small convolutional network whose pooled features the distances between image sets are measured in."""

from itertools import pairwise

import torch
from torch import Tensor, nn


class Extractor(nn.Module):
    """(images (N, C, H, W) in [-1, 1]) -> features (N, 8 * width).

    Four stages, each halving the image; the mean over the last map of every feature. At least 16 px. The first stage
    is a strided convolution: single pixels reach its filters, at half the time of a full one and a pool.
    """

    scale: Tensor

    def __init__(self, channels: int, width: int) -> None:
        super().__init__()
        widths = [width, 2 * width, 4 * width, 8 * width]
        layers: list[nn.Module] = [nn.Conv2d(channels, width, 4, 2, 1, bias=False), nn.BatchNorm2d(width), nn.ReLU()]
        for before, after in pairwise(widths):
            layers += [nn.Conv2d(before, after, 3, 1, 1, bias=False), nn.BatchNorm2d(after), nn.ReLU()]
            layers += [nn.AvgPool2d(2)]
        self.layers = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten())
        self.dimension = widths[-1]
        self.register_buffer("scale", torch.ones(()))

    def forward(self, images: Tensor) -> Tensor:
        return self.layers(images) * self.scale

    def calibrate(self, features: Tensor) -> None:
        """Sets the scale at which these features (N, 8 * width) have mean square 1; kernel distances depend on it."""
        self.scale = self.scale / features.square().mean().sqrt()


class ProjectionHead(nn.Sequential):
    """The head that contrastive training needs and scoring drops. Source: Chen et al. 2020, section 4.2."""

    def __init__(self, dimension: int) -> None:
        super().__init__(nn.Linear(dimension, dimension), nn.ReLU(), nn.Linear(dimension, 64))
