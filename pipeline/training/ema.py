"""Exponential moving average of a generator's weights."""

import copy

import torch
from torch import nn


def ema_decay(images_shown: int, images_seen: int, half_life_kimg: float) -> float:
    """Decay of one generator step, before which ``images_shown`` of all ``images_seen`` real images were shown.

    Early on the half-life is a twentieth of the images seen (Karras et al. 2020, ramp 0.05).
    """
    half_life = min(half_life_kimg * 1000, images_seen * 0.05)
    return 0.5 ** (images_shown / max(half_life, 1e-8))


@torch.no_grad()
def update_ema(ema: nn.Module, model: nn.Module, decay: float) -> None:
    """Moves ``ema`` towards ``model``; batch-norm statistics are averaged too, counters copied."""
    current = model.state_dict()
    for name, value in ema.state_dict().items():
        if value.is_floating_point():
            value.lerp_(current[name], 1 - decay)
        else:
            value.copy_(current[name])


def frozen_copy(model: nn.Module) -> nn.Module:
    return copy.deepcopy(model).eval().requires_grad_(False)
