"""Losses of masks, on logits. Each returns one value for the batch, to be minimised.

All take logits (N, H, W), masks (N, H, W) of 0 and 1, and a random generator, from which one of them draws.

The overlaps are those of the whole batch, as one picture. Image by image an empty mask, of which MRI slices have many,
costs 1 as long as a few pixels are predicted, and teaches next to nothing: a U-Net then had a Dice of 0.41 in
validation, and so 0.71 (docs/results.md).
"""

from collections.abc import Callable

import torch
from torch import Generator, Tensor
from torch.nn import functional as F

SegmentationLoss = Callable[[Tensor, Tensor, Generator], Tensor]
SMOOTHING = 1.0  # px: empty masks that are predicted empty cost nothing, and no denominator is 0
SAMPLED = 0.5  # of the pixels


def dice(logits: Tensor, masks: Tensor, rng: Generator) -> Tensor:
    """1 - 2 |P and M| / (|P| + |M|), in [0, 1]. Source: Milletari et al. 2016, section 3.

    Differs from the paper: no squares in the denominator, and ``SMOOTHING`` on both sides of the fraction.
    """
    both, predicted, true = _areas(logits, masks)
    return 1 - (2 * both + SMOOTHING) / (predicted + true + SMOOTHING)


def iou(logits: Tensor, masks: Tensor, rng: Generator) -> Tensor:
    """1 - |P and M| / |P or M|, in [0, 1]. Source: Rahman and Wang 2016; ``SMOOTHING`` as in ``dice``."""
    both, predicted, true = _areas(logits, masks)
    return 1 - (both + SMOOTHING) / (predicted + true - both + SMOOTHING)


def bce(logits: Tensor, masks: Tensor, rng: Generator) -> Tensor:
    """Binary cross-entropy, mean over the pixels."""
    return _pixel_entropy(logits, masks).mean()


def bce_sampled(logits: Tensor, masks: Tensor, rng: Generator) -> Tensor:
    """Binary cross-entropy over half of the pixels, other ones in every image and at every call."""
    entropy = _pixel_entropy(logits, masks)
    order = torch.rand(entropy.shape, generator=rng, device=rng.device).argsort(dim=1)
    chosen = order[:, : round(SAMPLED * entropy.shape[1])].to(entropy.device)
    return entropy.gather(1, chosen).mean()


def dice_bce(logits: Tensor, masks: Tensor, rng: Generator) -> Tensor:
    """Their sum."""
    return dice(logits, masks, rng) + bce(logits, masks, rng)


SEGMENTATION_LOSSES: dict[str, SegmentationLoss] = {
    "bce": bce,
    "bce_sampled": bce_sampled,
    "dice": dice,
    "dice_bce": dice_bce,
    "iou": iou,
}


def _areas(logits: Tensor, masks: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Of the overlap, of the predicted and of the true masks, in px."""
    predicted = torch.sigmoid(logits)
    return (predicted * masks).sum(), predicted.sum(), masks.sum()


def _pixel_entropy(logits: Tensor, masks: Tensor) -> Tensor:
    """(N, H * W)."""
    return F.binary_cross_entropy_with_logits(logits.flatten(1), masks.flatten(1), reduction="none")
