"""What translators share: a discriminator that judges patches. Source: Isola et al. 2017, section 3.2.2."""

from collections.abc import Callable

from torch import Tensor, nn

from models.layers import doublings, initialise


class PatchNetwork(nn.Module):
    """images (N, C, H, W) in [-1, 1] -> logits (N, P), one for every patch of half the side or less.

    Patches of 16 px at 32 px, 34 px at 64 px and 70 px, as in the paper, from 128 px on.

    Args:
        norm: behind every convolution but the first and the last; takes the number of feature maps.
    """

    def __init__(self, image_size: int, channels: int, features: int, norm: Callable[[int], nn.Module]) -> None:
        super().__init__()
        halvings = min(doublings(image_size) - 2, 3)
        layers: list[nn.Module] = [nn.Conv2d(channels, features, 4, 2, 1), nn.LeakyReLU(0.2)]
        width = features
        for stage in range(1, halvings + 1):
            before, width = width, features * 2**stage
            stride = 2 if stage < halvings else 1
            layers += [nn.Conv2d(before, width, 4, stride, 1, bias=False), norm(width), nn.LeakyReLU(0.2)]
        self.layers = nn.Sequential(*layers, nn.Conv2d(width, 1, 4, 1, 1), nn.Flatten())
        initialise(self)

    def forward(self, images: Tensor) -> Tensor:
        return self.layers(images)
