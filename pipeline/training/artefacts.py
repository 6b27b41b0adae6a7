"""The loop that teaches the artefact detector, pixel by pixel."""

from collections.abc import Callable
from contextlib import AbstractContextManager

import torch
from torch import Tensor
from torch.nn import functional as F
from torch.optim import AdamW

from models.artefact_detector import ArtefactDetector
from models.augment import dihedral
from pipeline.params.artefacts import ArtefactsParams
from pipeline.training.batches import to_unit_range

SHOWN = 0.003  # share of the pixels from which on a photograph counts as one with the artefact
RARE = 0.5  # how much more often photographs with a rare artefact are shown
# Standard deviations of the contrast, of the light and of the colours. Archives have many cameras, and generators burn
# skin out: what never saw it white takes it for a plaster.
GAIN, LIGHT, SHIFT = 0.45, 0.35, 0.15
LEAST_GAIN = 0.3
WEIGHT, MOST = 0.5, 100.0  # pixels of an artefact weigh this share of what would balance them, and at most this much


def train_detector(
    detector: ArtefactDetector,
    images: Tensor,
    maps: Tensor,
    params: ArtefactsParams,
    autocast: Callable[[], AbstractContextManager[None]],
    seed: int,
    stepped: Callable[[int], object],
) -> None:
    """Weighted cross-entropy of every pixel, in place.

    Few pixels show an artefact, and few photographs the rarer ones: shown as often as they occur, nothing is learnt in
    the first hundreds of steps.

    Args:
        images: (N, 3, H, W) uint8 on the device.
        maps: (N, kinds, H, W) uint8 on the device, 255 where the artefact is.
        autocast: gives the context in which the network is evaluated.
        stepped: takes the number of steps just done.
    """
    often = _how_often(maps)
    balance = _balance(maps, often)
    optimizer = AdamW(detector.parameters(), params.learning_rate)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, params.learning_rate, params.steps, pct_start=0.15)
    rng = torch.Generator().manual_seed(seed)
    detector.train().to(memory_format=torch.channels_last)
    for _ in range(params.steps):
        chosen = torch.multinomial(often, params.batch_size, replacement=True, generator=rng).to(images.device)
        both = torch.cat([to_unit_range(images[chosen]), maps[chosen].float() / 255], dim=1)
        turned = dihedral(both, rng)
        pictures = _recoloured(turned[:, :3], rng)
        with autocast():
            logits = detector(pictures)
        loss = F.binary_cross_entropy_with_logits(logits.float(), turned[:, 3:], pos_weight=balance)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        stepped(1)
    detector.eval()


def shows(maps: Tensor) -> Tensor:
    """Which photographs show which artefact, (N, kinds)."""
    return maps.float().mean(dim=(2, 3)) > 255 * SHOWN


def _how_often(maps: Tensor) -> Tensor:
    """Weights of the photographs in the draw, (N,), on the CPU."""
    shown = shows(maps).float().cpu()
    return 1 + RARE * (shown / shown.mean(dim=0).clamp(min=1 / len(shown))).sum(dim=1)


def _balance(maps: Tensor, often: Tensor) -> Tensor:
    """How much more a pixel of each artefact weighs than one without, (kinds, 1, 1)."""
    share = ((maps.float().mean(dim=(2, 3)).cpu() / 255) * often[:, None]).sum(dim=0) / often.sum()
    return (WEIGHT * ((1 - share) / share.clamp(min=1e-6)).clamp(max=MOST / WEIGHT))[:, None, None].to(maps.device)


def _recoloured(images: Tensor, rng: torch.Generator) -> Tensor:
    """(N, 3, H, W) in [-1, 1], to which what is too light or too dark is cut."""
    gain = (1 + GAIN * torch.randn(len(images), 1, 1, 1, generator=rng)).clamp(min=LEAST_GAIN)
    light = LIGHT * torch.randn(len(images), 1, 1, 1, generator=rng)
    shift = light + SHIFT * torch.randn(len(images), 3, 1, 1, generator=rng)
    return (images * gain.to(images.device) + shift.to(images.device)).clamp(-1, 1)


@torch.no_grad()
def detect(detector: ArtefactDetector, images: Tensor, batch_size: int) -> Tensor:
    """How sure the detector is that an image shows each artefact, (N, kinds) in [0, 1], on the CPU.

    The mean over the half percent of the pixels that it marks most surely: a hair is no more.

    Args:
        images: (N, 3, H, W) uint8.
    """
    most = max(images.shape[2] * images.shape[3] // 200, 1)
    marked = [detector(to_unit_range(batch)).sigmoid().flatten(2) for batch in images.split(batch_size)]
    return torch.cat([part.topk(most, dim=2).values.mean(dim=2).cpu() for part in marked])
