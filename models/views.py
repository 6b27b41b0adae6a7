"""What a self-supervised extractor is shown: views in which an image stays itself, and damaged ones in which not.

Both take images (N, C, H, W) in [-1, 1] and the random generator to draw from, and return the same shape.
"""

import torch
from torch import Generator, Tensor
from torch.nn import functional as F

from models.augment import brightness, cutout, dihedral, translation, uniform

BINOMIAL = (1 / 16, 4 / 16, 6 / 16, 4 / 16, 1 / 16)  # a blur of one pixel's standard deviation


def view(images: Tensor, rng: Generator) -> Tensor:
    """Another place, orientation and light, and a part hidden; no pixel is interpolated, so sharpness stays."""
    moved = translation(dihedral(images, rng), rng, 1 / 6, mirrored=True)
    return cutout(brightness(moved, rng, 0.05), rng, 0.4)


def damaged_view(images: Tensor, rng: Generator) -> Tensor:
    """A view made softer, noisy, or of another cast: features that tell it from the image can measure quality."""
    images = view(images, rng)
    softer = images + (_blurred(images) - images) * uniform(images, rng, 0.4, 1.2)
    noisy = images + _normal(images, rng, *images.shape) * uniform(images, rng, 0.03, 0.2)
    cast = images + _normal(images, rng, *images.shape[:2], 1, 1) * 0.08
    kind = torch.randint(3, (len(images), 1, 1, 1), generator=rng, device=rng.device).to(images.device)
    return torch.where(kind == 0, softer, torch.where(kind == 1, noisy, cast))


def _normal(images: Tensor, rng: Generator, *shape: int) -> Tensor:
    return torch.randn(shape, generator=rng, device=rng.device).to(images.device)


def _blurred(images: Tensor) -> Tensor:
    row = torch.tensor(BINOMIAL, device=images.device)
    kernel = torch.outer(row, row).expand(images.shape[1], 1, 5, 5)
    return F.conv2d(F.pad(images, [2] * 4, mode="reflect"), kernel, groups=images.shape[1])
