"""The loop that teaches the extractor without labels."""

from collections.abc import Callable
from contextlib import AbstractContextManager

import torch
from torch import Tensor
from torch.optim import AdamW

from models.extractor import Extractor, ProjectionHead
from models.losses import nt_xent
from models.views import damaged_view, view
from pipeline.params.features import FeaturesParams
from pipeline.training.batches import EpochOrder, to_unit_range


def train_extractor(
    extractor: Extractor,
    images: Tensor,
    params: FeaturesParams,
    autocast: Callable[[], AbstractContextManager[None]],
    seed: int,
    stepped: Callable[[int], object],
) -> list[float]:
    """Contrastive training in place: two views of an image should lie together, apart from all others and from damage.

    Args:
        images: (N, C, H, W) uint8 on the device.
        autocast: gives the context in which the networks are evaluated.
        stepped: takes the number of steps just done.

    Returns: the loss of every step.
    """
    head = ProjectionHead(extractor.dimension).to(images.device)
    optimizer = AdamW([*extractor.parameters(), *head.parameters()], params.learning_rate, fused=True)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, params.steps)
    order = EpochOrder(len(images), seed)
    rng = torch.Generator(images.device).manual_seed(seed)
    # A batch larger than the set would hold every image twice, as its own negative.
    batch_size = min(params.batch_size, len(images))
    losses = []
    extractor.train()
    for step in range(params.steps):
        batch = to_unit_range(images[order.indices(step * batch_size, batch_size).to(images.device)])
        views = torch.cat([view(batch, rng), view(batch, rng), damaged_view(batch, rng)])
        with autocast():
            projections = head(extractor(views))
        first, second, damaged = projections.float().chunk(3)
        loss = nt_xent(first, second, damaged, params.temperature).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        losses.append(loss.detach())
        stepped(1)
    extractor.eval()
    extractor.calibrate(extract(extractor, images, batch_size))
    return torch.stack(losses).tolist()


@torch.no_grad()
def extract(extractor: Extractor, images: Tensor, batch_size: int) -> Tensor:
    """Features (N, D) of uint8 images (N, C, H, W), on the CPU."""
    parts = [extractor(to_unit_range(batch)).cpu() for batch in images.split(batch_size)]
    return torch.cat(parts)
