"""The networks of DCGAN, which several variants share. Source: Radford, Metz, Chintala 2016."""

from collections.abc import Callable
from itertools import pairwise

from torch import Tensor, nn

from models.layers import MinibatchStddev, doublings, feature_maps, initialise

SLOPE = 0.2  # of the leaky ReLUs
ACTIVATIONS: dict[str, Callable[[], nn.Module]] = {"relu": nn.ReLU, "leaky_relu": lambda: nn.LeakyReLU(SLOPE)}


class ConvolutionalGenerator(nn.Module):
    """(z (N, Z), labels (N,)) -> images (N, C, H, W) in [-1, 1]; the labels play no part."""

    def __init__(
        self, image_size: int, channels: int, latent_dim: int, features: int, activation: str = "relu"
    ) -> None:
        super().__init__()
        widths = feature_maps(features, doublings(image_size))[::-1]
        layers = [*self._block(nn.ConvTranspose2d(latent_dim, widths[0], 4, bias=False), activation)]
        for wide, narrow in pairwise(widths):
            layers += self._block(nn.ConvTranspose2d(wide, narrow, 4, 2, 1, bias=False), activation)
        self.layers = nn.Sequential(*layers, nn.ConvTranspose2d(widths[-1], channels, 4, 2, 1), nn.Tanh())
        initialise(self)

    @staticmethod
    def _block(convolution: nn.ConvTranspose2d, activation: str) -> list[nn.Module]:
        return [convolution, nn.BatchNorm2d(convolution.out_channels), ACTIVATIONS[activation]()]

    def forward(self, z: Tensor, labels: Tensor) -> Tensor:
        return self.layers(z[:, :, None, None])


class ConvolutionalDiscriminator(nn.Module):
    """(images (N, C, H, W) in [-1, 1], labels (N,)) -> logits (N,); the labels play no part.

    Args:
        norm: behind every convolution but the first and the last; takes the number of feature maps.
        light: half the feature maps and a fully connected head, for small sets on which the full one wins too early.
        minibatch_stddev: whether the last layer sees how much the images of a batch differ.
    """

    def __init__(
        self,
        image_size: int,
        channels: int,
        features: int,
        minibatch_stddev: bool,
        norm: Callable[[int], nn.Module] = nn.BatchNorm2d,
        light: bool = False,
    ) -> None:
        super().__init__()
        widths = feature_maps(features // 2 if light else features, doublings(image_size))
        layers: list[nn.Module] = [nn.Conv2d(channels, widths[0], 4, 2, 1), nn.LeakyReLU(SLOPE)]
        for narrow, wide in pairwise(widths):
            layers += [nn.Conv2d(narrow, wide, 4, 2, 1, bias=False), norm(wide), nn.LeakyReLU(SLOPE)]
        last = widths[-1]
        if minibatch_stddev:
            layers, last = [*layers, MinibatchStddev()], last + 1
        head = [nn.Flatten(), nn.Linear(last * 16, 1)] if light else [nn.Conv2d(last, 1, 4), nn.Flatten()]
        self.layers = nn.Sequential(*layers, *head)
        initialise(self)

    def forward(self, images: Tensor, labels: Tensor) -> Tensor:
        return self.layers(images).squeeze(1)
