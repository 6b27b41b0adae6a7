"""What autoencoders share: an encoder, a decoder that can draw its codes, and the loss of what comes back."""

from itertools import pairwise

import torch
from torch import Tensor, nn

from models.generators.convolutional import ConvolutionalGenerator
from models.layers import doublings, feature_maps, initialise


class Encoder(nn.Module):
    """images (N, C, H, W) in [-1, 1] -> (N, outputs)."""

    def __init__(self, image_size: int, channels: int, features: int, outputs: int) -> None:
        super().__init__()
        widths = feature_maps(features, doublings(image_size))
        layers: list[nn.Module] = []
        for before, width in pairwise([channels, *widths]):
            layers += [nn.Conv2d(before, width, 4, 2, 1, bias=False), nn.BatchNorm2d(width), nn.LeakyReLU(0.2)]
        self.layers = nn.Sequential(*layers, nn.Flatten(), nn.Linear(widths[-1] * 16, outputs))
        initialise(self)

    def forward(self, images: Tensor) -> Tensor:
        return self.layers(images)


class CodeGenerator(nn.Module):
    """(z (N, Z), labels (N,)) -> images (N, C, H, W) in [-1, 1]; the labels play no part.

    Args:
        fitted: whether codes are drawn from the normal distribution that ``fit`` finds; if not, from N(0, I).
        outputs: of the encoder, the first Z of which are the code.

    Attributes:
        encoder: images (N, C, H, W) in [-1, 1] -> (N, outputs).
        mean, root: the codes are distributed as mean + root z with z from N(0, I).
    """

    mean: Tensor
    root: Tensor

    def __init__(
        self,
        image_size: int,
        channels: int,
        latent_dim: int,
        features: int,
        encoder_features: int,
        outputs: int,
        fitted: bool,
    ) -> None:
        super().__init__()
        self.fitted = fitted
        self.encoder = Encoder(image_size, channels, encoder_features, outputs)
        self.network = ConvolutionalGenerator(image_size, channels, latent_dim, features)
        self.register_buffer("mean", torch.zeros(latent_dim))
        self.register_buffer("root", torch.eye(latent_dim))

    def encode(self, images: Tensor) -> Tensor:
        """Images (N, C, H, W) in [-1, 1] to codes (N, Z)."""
        return self.encoder(images)[:, : len(self.mean)]

    def decode(self, codes: Tensor) -> Tensor:
        return self.network(codes, codes)  # no labels: they play no part

    def forward(self, z: Tensor, labels: Tensor) -> Tensor:
        return self.decode(z @ self.root.T + self.mean)

    @torch.no_grad()
    def fit(self, codes: Tensor) -> None:
        """Takes the mean and the covariance of the codes of the training images, (N, Z), for those to draw from."""
        if self.fitted:
            exact = codes.double()
            centred = exact - exact.mean(dim=0)
            # Fewer images than dimensions leave directions without spread, which Cholesky's root would refuse.
            values, vectors = torch.linalg.eigh(centred.T @ centred / len(centred))
            self.mean.copy_(exact.mean(dim=0))
            self.root.copy_(vectors * values.clamp(min=0).sqrt())


def squared_error(images: Tensor, restored: Tensor) -> Tensor:
    """Half the squared distance of images (N, C, H, W), (N,): -log of a normal density of variance 1, to a constant."""
    return 0.5 * (images - restored.float()).square().flatten(1).sum(dim=1)
