"""What discriminators of spectral norm 1 share. Source: Miyato et al. 2018."""

import math
from itertools import pairwise

from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from models.layers import MinibatchStddev, doublings, feature_maps

SLOPE = 0.1  # of the leaky ReLU


class SpectralTrunk(nn.Module):
    """images (N, C, H, W) in [-1, 1] -> features (N, F). Source: Miyato et al. 2018, table 3, without the last layers.

    At each resolution a 3x3 convolution, then a 4x4 one with stride 2; to be normalised with the layers behind it.
    Differs from the paper: no 3x3 convolution at 4 px.

    Args:
        minibatch_stddev: whether a last feature map says how much the images of a batch differ.

    Attributes:
        width: F.
        gain: what the leaky ReLUs take away (He et al. 2015), to be given back to the logits. Differs from the paper:
            without it logits at 64 px are a fifteenth, far inside the hinge's margins: a straight line, that is.
    """

    def __init__(self, image_size: int, channels: int, features: int, minibatch_stddev: bool) -> None:
        super().__init__()
        widths = feature_maps(features, doublings(image_size))
        layers: list[nn.Module] = []
        for before, width in pairwise([channels, *widths]):
            layers += [nn.Conv2d(before, width, 3, 1, 1), nn.LeakyReLU(SLOPE)]
            layers += [nn.Conv2d(width, width, 4, 2, 1), nn.LeakyReLU(SLOPE)]
        self.width = widths[-1] * 16
        if minibatch_stddev:
            layers, self.width = [*layers, MinibatchStddev()], self.width + 16
        self.layers = nn.Sequential(*layers, nn.Flatten())
        self.gain = math.sqrt(2 / (1 + SLOPE**2)) ** (2 * len(widths))

    def forward(self, images: Tensor) -> Tensor:
        return self.layers(images)


def normalise(network: nn.Module) -> None:
    """Sets every layer with a matrix of weights to spectral norm 1, from an orthogonal start.

    Differs from the paper: normal(0, 0.02) would be scaled to norm 1 anyway, but from nearly parallel filters.
    """
    for layer in list(network.modules()):
        if isinstance(layer, nn.Conv2d | nn.Linear | nn.Embedding):
            nn.init.orthogonal_(layer.weight)
            spectral_norm(layer)
