"""Small pieces that several generators share."""

import math

import torch
from torch import Tensor, nn


def doublings(image_size: int) -> int:
    """How often 4 px must be doubled to reach ``image_size``.

    Raises:
        ValueError: unless ``image_size`` is 32, 64, 128 or 256.
    """
    if image_size not in (32, 64, 128, 256):
        raise ValueError(f"image_size must be 32, 64, 128 or 256, got {image_size}")
    return int(math.log2(image_size // 4))


def feature_maps(features: int, stages: int) -> list[int]:
    """Widths from the stage next to the image to the one at 4 px: doubled each time, up to eight times ``features``."""
    return [features * min(2**stage, 8) for stage in range(stages)]


def initialise(module: nn.Module) -> None:
    """Normal(0, 0.02) for weights, Normal(1, 0.02) for batch norm scales. Source: Radford et al. 2016, section 4."""
    for layer in module.modules():
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
            nn.init.normal_(layer.weight, 0.0, 0.02)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
        elif isinstance(layer, nn.BatchNorm2d) and layer.affine:
            nn.init.normal_(layer.weight, 1.0, 0.02)
            nn.init.zeros_(layer.bias)


class MinibatchStddev(nn.Module):
    """One more feature map: how much the images of a group differ, the mean standard deviation of their features.

    (N, C, H, W) -> (N, C + 1, H, W). Source: Karras et al. 2018, section 3; groups as in Karras et al. 2020.
    """

    GROUP = 4

    def forward(self, x: Tensor) -> Tensor:
        size = self.GROUP if len(x) % self.GROUP == 0 else len(x)
        groups = x.float().view(-1, size, *x.shape[1:])  # (G, size, C, H, W)
        variance = groups.var(dim=1, correction=0)
        spread = (variance + 1e-8).sqrt().mean(dim=(1, 2, 3))  # (G,)
        planes = spread.repeat_interleave(size).view(-1, 1, 1, 1).expand(-1, 1, *x.shape[2:])
        return torch.cat([x, planes.to(x.dtype)], dim=1)


class ConditionalBatchNorm(nn.Module):
    """Batch norm with a scale and a shift for every class. Source: Miyato and Koyama 2018, section 4.

    (x (N, C, H, W), labels (N,)) -> (N, C, H, W).
    """

    def __init__(self, features: int, classes: int) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(features, affine=False)
        self.scale = nn.Embedding(classes, features)
        self.shift = nn.Embedding(classes, features)
        nn.init.ones_(self.scale.weight)
        nn.init.zeros_(self.shift.weight)

    def forward(self, x: Tensor, labels: Tensor) -> Tensor:
        return self.norm(x) * self.scale(labels)[:, :, None, None] + self.shift(labels)[:, :, None, None]
