"""The segmenter's loop: a fixed number of steps, the weights with the best Dice of the validation patients kept."""

import copy
import math
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.optim import AdamW
from torch.optim.lr_scheduler import LambdaLR

from models.pair_augment import PAIR_AUGMENTATIONS
from models.segmentation_losses import SEGMENTATION_LOSSES
from pipeline.errors import InputError
from pipeline.metrics.segmentation import Masks, patient_dice
from pipeline.training.batches import Batches, EpochOrder, to_unit_range
from pipeline.training.ranks import Ranks

EVALUATION_BATCH = 64


class TrainSettings(Protocol):
    """What a training needs of the params."""

    steps: int
    batch_size: int
    accumulate: int
    learning_rate: float
    weight_decay: float
    evaluate_steps: int


class SegmenterRun:
    """All that one training consists of; ``state`` is what a checkpoint holds.

    Args:
        images, masks: (N, C, H, W) and (N, H, W) uint8, masks 0 or 255, on the device if there is room: training pairs.
        val_images: (M, C, H, W) uint8; with ``val_masks`` (M, H, W) and ``val_patient`` (M,) they choose the step whose
            weights are kept.
        augment, loss: by their names in the registries.
        stream_seed: the seed of a named random stream.
        autocast: gives the context in which the network is trained.
        ranks: the processes that train together, this one among them.
    """

    def __init__(
        self,
        network: nn.Module,
        *,
        images: Tensor,
        masks: Tensor,
        val_images: Tensor,
        val_masks: Masks,
        val_patient: NDArray[np.int64],
        augment: str,
        loss: str,
        train: TrainSettings,
        stream_seed: Callable[[str], int],
        device: torch.device,
        autocast: Callable[[], AbstractContextManager[None]],
        ranks: Ranks,
    ) -> None:
        self.network = network.to(device=device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.images, self.masks, self.device = images, masks, device
        self.batches, self.mask_batches = Batches(images, device), Batches(masks, device)
        self.val_images, self.val_masks, self.val_patient = val_images, val_masks, val_patient
        self.train, self.autocast, self.ranks = train, autocast, ranks
        self.augment, self.loss = PAIR_AUGMENTATIONS[augment], SEGMENTATION_LOSSES[loss]
        self.order = EpochOrder(len(images), stream_seed("order"))
        self.optimizer = AdamW(network.parameters(), train.learning_rate, weight_decay=train.weight_decay, fused=True)
        self.schedule = LambdaLR(self.optimizer, lambda step: 0.5 * (1 + math.cos(math.pi * step / train.steps)))
        self.rng = torch.Generator(device).manual_seed(ranks.seed(stream_seed("augment")))
        self.loss_rng = torch.Generator(device).manual_seed(ranks.seed(stream_seed("loss")))
        self.step = 0
        self.best_dice, self.best_step = -1.0, 0
        self.best: dict[str, Tensor] = {}
        self.curve: list[dict[str, float]] = []

    def state(self) -> dict[str, Any]:
        return {
            **{name: getattr(self, name) for name in ("step", "best_dice", "best_step", "best", "curve")},
            **{name: part.state_dict() for name, part in self._parts().items()},
            "rng": self.rng.get_state(),
            "loss_rng": self.loss_rng.get_state(),
        }

    def load(self, state: dict[str, Any]) -> None:
        """Goes on where another run with the same arguments was when it gave ``state``."""
        for name in ("step", "best_dice", "best_step", "best", "curve"):
            setattr(self, name, state[name])
        for name, part in self._parts().items():
            part.load_state_dict(state[name])
        if self.ranks.first:  # the others' streams begin anew
            self.rng.set_state(state["rng"])
            self.loss_rng.set_state(state["loss_rng"])

    def _parts(self) -> dict[str, Any]:
        return {"network": self.network, "optimizer": self.optimizer, "schedule": self.schedule}


def train_segmenter(
    run: SegmenterRun, save: Callable[[dict[str, Any]], None], stepped: Callable[[int], object]
) -> nn.Module:
    """Trains for ``train.steps`` steps.

    Args:
        run: new, or loaded with the state of an interrupted one.
        save: takes the state to resume from.
        stepped: takes the number of steps just done.

    Returns: the network with the weights of the best validation Dice, in eval mode.

    Raises:
        InputError: when the loss is no longer finite.
    """
    losses: list[Tensor] = []
    while run.step < run.train.steps:
        losses.append(segmenter_step(run))
        run.step += 1
        if run.step % run.train.evaluate_steps == 0 or run.step == run.train.steps:
            run.ranks.average_batch_statistics(run.network)
            look(run, float(run.ranks.mean(torch.stack(losses).mean())))
            losses = []
            save(run.state())
        stepped(1)
    run.network.load_state_dict(run.best)
    return run.network.eval()


def segmenter_step(run: SegmenterRun) -> Tensor:
    """One optimizer step; returns the mean loss, still on the device."""
    size = run.train.batch_size
    chosen, following = (run.ranks.share(run.order.indices(step * size, size)) for step in (run.step, run.step + 1))
    shown, masks = (batches.take(chosen, following) for batches in (run.batches, run.mask_batches))
    batch, masks = run.augment(to_unit_range(shown), (masks > 0).float(), run.rng)
    run.network.train()
    run.optimizer.zero_grad()
    parts = run.train.accumulate
    mean = torch.zeros((), device=run.device)
    for images, wanted in zip(batch.chunk(parts), masks.chunk(parts), strict=True):
        with run.autocast():
            logits = run.network(images.contiguous(memory_format=torch.channels_last)).float()
        loss = run.loss(logits, wanted, run.loss_rng) / parts
        loss.backward()
        mean += loss.detach()
    run.ranks.average_gradients(run.network)
    run.optimizer.step()
    run.schedule.step()
    return mean


def look(run: SegmenterRun, loss: float) -> None:
    """A row of the curve; keeps the weights if the Dice of the validation patients is the best so far."""
    if not math.isfinite(loss):
        raise InputError(f"the loss became {loss} by step {run.step}; lower train.learning_rate")
    found = predict_masks(run.network, run.val_images)
    dice = float(patient_dice(found, run.val_masks, run.val_patient).mean())
    run.curve.append({"step": run.step, "loss": loss, "val_dice": dice})
    if dice > run.best_dice:
        run.best_dice, run.best_step = dice, run.step
        run.best = copy.deepcopy(run.network.state_dict())


@torch.no_grad()
def predict_masks(network: nn.Module, images: Tensor) -> Masks:
    """Where the probability is above one half, (N, H, W), of uint8 images (N, C, H, W) on any device; in float32."""
    network.eval()
    device = next(network.parameters()).device
    found = [network(to_unit_range(batch.to(device))) > 0 for batch in images.split(EVALUATION_BATCH)]
    return torch.cat(found).cpu().numpy()
