"""A feature pyramid network with a segmentation branch. Sources: Lin et al. 2017; Kirillov et al. 2019, section 3.1."""

from torch import Tensor, nn
from torch.nn import functional as F

from models.segmenters.stages import Encoder, convolution, double_convolution, widths_of

PYRAMID = 4  # times ``features``: width of every level of the pyramid
BRANCH = 2  # times ``features``: width of the segmentation branch


class FPN(nn.Module):
    """images (N, C, H, W) in [-1, 1] -> logits (N, H, W).

    Differs from the papers: the way down is a U-Net's and the finest level has the full size, not a quarter; batch norm
    stands where the branch has group norm.

    Args:
        features: of the way down, at the full size.
    """

    def __init__(self, channels: int, features: int) -> None:
        super().__init__()
        widths = widths_of(features)
        pyramid, branch = PYRAMID * features, BRANCH * features
        self.encoder = Encoder(channels, widths, double_convolution)
        self.lateral = nn.ModuleList([nn.Conv2d(width, pyramid, 1) for width in widths])
        self.branches = nn.ModuleList([_branch(pyramid, branch, doublings) for doublings in range(len(widths))])
        self.head = nn.Conv2d(branch, 1, 1)

    def forward(self, images: Tensor) -> Tensor:
        levels = [layer(level) for layer, level in zip(self.lateral, self.encoder(images), strict=True)]
        for finer in range(len(levels) - 2, -1, -1):
            levels[finer] = levels[finer] + F.interpolate(levels[finer + 1], scale_factor=2)
        merged = sum(branch(level) for branch, level in zip(self.branches, levels, strict=True))
        return self.head(merged).squeeze(1)


def _branch(features_in: int, features_out: int, doublings: int) -> nn.Sequential:
    """A convolution, then as many doublings as lead to the full size, each behind a convolution but the first's own."""
    layers: list[nn.Module] = [convolution(features_in, features_out)]
    for step in range(doublings):
        layers += [convolution(features_out, features_out)] if step else []
        layers.append(nn.Upsample(scale_factor=2, mode="bilinear", align_corners=False))
    return nn.Sequential(*layers)


def build(channels: int, features: int) -> FPN:
    return FPN(channels, features)
