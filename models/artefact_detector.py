"""The network that marks hair, rulers, ink and the like in a picture, pixel by pixel."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class ArtefactDetector(nn.Module):
    """(images (N, 3, H, W) in [-1, 1]) -> logits (N, kinds, H, W), a map for each kind of artefact.

    A U-Net (Ronneberger et al. 2015) of three levels: a tick of a ruler is told from a hair by the ticks beside it. H
    and W are multiples of 4.
    """

    def __init__(self, kinds: int, width: int) -> None:
        super().__init__()
        self.fine = nn.Sequential(_block(3, width), _block(width, width))
        self.middle = nn.Sequential(_block(width, 2 * width), _block(2 * width, 2 * width))
        self.coarse = nn.Sequential(_block(2 * width, 4 * width), _block(4 * width, 4 * width))
        self.up_middle = _block(6 * width, 2 * width)
        self.up_fine = _block(3 * width, width)
        self.maps = nn.Conv2d(width, kinds, 1)

    def forward(self, images: Tensor) -> Tensor:
        fine = self.fine(images)
        middle = self.middle(F.max_pool2d(fine, 2))
        coarse = self.coarse(F.max_pool2d(middle, 2))
        middle = self.up_middle(_joined(coarse, middle))
        return self.maps(self.up_fine(_joined(middle, fine)))


def _block(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(inputs, outputs, 3, 1, 1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU())


def _joined(coarse: Tensor, fine: Tensor) -> Tensor:
    return torch.cat([F.interpolate(coarse, scale_factor=2.0, mode="nearest"), fine], dim=1)
