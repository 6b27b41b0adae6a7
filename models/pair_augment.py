"""Augmentation of images with their masks: what moves the one moves the other, and colours are the image's alone."""

from collections.abc import Callable

import torch
from torch import Generator, Tensor

from models.augment import brightness, contrast, dihedral, hue, saturation, shift_scale_rotate, uniform

# (images (N, C, H, W) in [-1, 1], masks (N, H, W) of 0 and 1, rng) -> the same two, changed
PairAugmentation = Callable[[Tensor, Tensor, Generator], tuple[Tensor, Tensor]]
MOVED = 0.7  # share of the images that are shifted, zoomed and turned


def standard(images: Tensor, masks: Tensor, rng: Generator) -> tuple[Tensor, Tensor]:
    """The usual perturbations: as ``models.augment.standard``, but without holes, behind which no mask can be told."""
    pairs = dihedral(torch.cat([images, 2 * masks[:, None] - 1], dim=1), rng)
    moved = shift_scale_rotate(pairs, rng, shift=0.06, scale=0.15, degrees=30)
    pairs = torch.where(uniform(pairs, rng, 0, 1) < MOVED, moved, pairs)
    coloured = contrast(brightness(pairs[:, :-1], rng, 0.15), rng, 0.2)
    coloured = hue(saturation(coloured, rng, 0.2), rng, 8)
    return coloured.clamp(-1, 1), (pairs[:, -1] > 0).float()


PAIR_AUGMENTATIONS: dict[str, PairAugmentation] = {
    "none": lambda images, masks, rng: (images, masks),
    "standard": standard,
}
