"""Augmentation of images with their masks: what moves the one moves the other, and colours are the image's alone."""

from collections.abc import Callable

import torch
from torch import Generator, Tensor
from torch.nn import functional as F

from models.augment import brightness, contrast, dihedral, hue, saturation, shift_scale_rotate, uniform

# (images (N, C, H, W) in [-1, 1], masks (N, H, W) of 0 and 1, rng) -> the same two, changed
PairAugmentation = Callable[[Tensor, Tensor, Generator], tuple[Tensor, Tensor]]
MOVED = 0.7  # share of the images that are shifted, zoomed and turned
KNOTS = 4


def standard(images: Tensor, masks: Tensor, rng: Generator) -> tuple[Tensor, Tensor]:
    """The usual perturbations: as ``models.augment.standard``, but without holes, behind which no mask can be told."""
    pairs = dihedral(torch.cat([images, 2 * masks[:, None] - 1], dim=1), rng)
    moved = shift_scale_rotate(pairs, rng, shift=0.06, scale=0.15, degrees=30)
    pairs = torch.where(uniform(pairs, rng, 0, 1) < MOVED, moved, pairs)
    coloured = contrast(brightness(pairs[:, :-1], rng, 0.15), rng, 0.2)
    coloured = hue(saturation(coloured, rng, 0.2), rng, 8)
    return coloured.clamp(-1, 1), (pairs[:, -1] > 0).float()


def deform(masks: Tensor, rng: Generator, strength: float) -> Tensor:
    """New masks of old ones: turned, and warped by a smooth random field; what comes into view is empty.

    Source: Simard, Steinkraus and Platt 2003, elastic distortions; here noise at ``KNOTS`` a side, interpolated.

    Args:
        masks: (N, H, W) of 0 and 1.
        strength: standard deviation of the field, of a side; 0: no warp.
    """
    turned = dihedral(masks[:, None], rng)
    noise = torch.randn(len(masks), 2, KNOTS, KNOTS, generator=rng, device=rng.device).to(masks.device)
    field = F.interpolate(noise, list(masks.shape[1:]), mode="bicubic", align_corners=True)
    unmoved = F.affine_grid(torch.eye(2, 3, device=masks.device).expand(len(masks), 2, 3), list(turned.shape), False)
    grid = unmoved + 2 * strength * field.permute(0, 2, 3, 1)  # grid units: a side is 2
    return (F.grid_sample(turned, grid, align_corners=False) > 0.5).float().squeeze(1)


PAIR_AUGMENTATIONS: dict[str, PairAugmentation] = {
    "none": lambda images, masks, rng: (images, masks),
    "standard": standard,
}
