"""No generator: images made elsewhere, to be drawn in their order."""

import torch
from torch import Tensor, nn

from models.generators.families import Collection


class StoredImages(nn.Module):
    """(z (N, 0), numbers (N,)) -> the images of these numbers (N, C, H, W) in [-1, 1].

    Attributes:
        images: (M, C, H, W) uint8; a state dict brings its own number.
    """

    images: Tensor

    def __init__(self, channels: int, image_size: int) -> None:
        super().__init__()
        self.register_buffer("images", torch.empty(0, channels, image_size, image_size, dtype=torch.uint8))

    def forward(self, z: Tensor, numbers: Tensor) -> Tensor:
        return self.images[numbers].float() / 127.5 - 1

    def _load_from_state_dict(self, state_dict: dict[str, Tensor], prefix: str, *rest: object) -> None:
        self.images = torch.empty_like(state_dict[f"{prefix}images"], device=self.images.device)
        super()._load_from_state_dict(state_dict, prefix, *rest)


def build(image_size: int, channels: int, classes: int, benign: str | None, malignant: str | None) -> Collection:
    """The settings are those of ``gan.variants.folder``: where each class's images lie."""
    return Collection(
        generator=StoredImages(channels, image_size), latent_dim=0, folders={"benign": benign, "malignant": malignant}
    )
