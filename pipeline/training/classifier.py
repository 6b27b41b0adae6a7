"""The classifier's loop: a fixed number of steps, the weights with the best val AUC kept."""

import copy
import math
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.optim import AdamW, Optimizer
from torch.optim.lr_scheduler import LambdaLR, LRScheduler, ReduceLROnPlateau

from models.augment import Augmentation, orientations, rand_augment, standard
from models.classifier import Classifier
from models.losses import CLASSIFIER_LOSSES
from pipeline.errors import InputError
from pipeline.metrics.ranking import roc_auc
from pipeline.params.classifier import ClassifierTrainParams
from pipeline.training.batches import Batches, EpochOrder, to_unit_range
from pipeline.training.ranks import Ranks

EVALUATION_BATCH = 64
# As in AIDL21-SAGAN's classifier, which counts epochs: more looks than these without a better val AUC halve the rate.
PLATEAU_PATIENCE, PLATEAU_FACTOR = 5, 0.5
AUGMENTATIONS: dict[str, Augmentation] = {
    "none": lambda images, rng: images,
    "standard": standard,
    "randaugment": rand_augment,
}


def shown_order(targets: NDArray[np.int64], sampler: str, count: int, seed: int) -> Tensor:
    """Which image is shown when, for a whole run, (count,).

    Args:
        sampler: imbalanced: drawn with replacement, each class as often as the other; shuffled: epoch by epoch.
    """
    if sampler == "shuffled":
        return EpochOrder(len(targets), seed).indices(0, count)
    from torchsampler import ImbalancedDatasetSampler  # imports torchvision, which takes as long as torch itself

    with torch.random.fork_rng(devices=[]):  # torchsampler draws from the global stream
        torch.manual_seed(seed)
        return torch.tensor(list(ImbalancedDatasetSampler(targets, labels=targets.tolist(), num_samples=count)))


def learning_rate_schedule(optimizer: Optimizer, train: ClassifierTrainParams) -> LRScheduler:
    """To be stepped after every optimizer step; plateau at every look, with its val AUC. Cosine ends at zero."""
    if train.schedule == "plateau":
        return ReduceLROnPlateau(optimizer, mode="max", factor=PLATEAU_FACTOR, patience=PLATEAU_PATIENCE)
    if train.schedule == "cosine":
        return LambdaLR(optimizer, lambda step: 0.5 * (1 + math.cos(math.pi * step / train.steps)))
    return LambdaLR(optimizer, lambda step: 1.0)


class ClassifierRun:
    """All that one training consists of; ``state`` is what a checkpoint holds.

    Args:
        images: (N, C, H, W) uint8, on the device if there is room: training images, real, repeated or synthetic.
        targets: (N,) 0 or 1.
        val_images, val_targets: choose the step whose weights are kept.
        augment, sampler, loss: as in a scheme of params.yaml.
        test_time_augmentation: of the predictions for val images, as it will be of those for test images.
        stream_seed: the seed of a named random stream.
        autocast: gives the context in which the network is evaluated.
        ranks: the processes that train together, this one among them.
    """

    def __init__(
        self,
        network: Classifier,
        *,
        images: Tensor,
        targets: NDArray[np.int64],
        val_images: Tensor,
        val_targets: NDArray[np.int64],
        augment: str,
        sampler: str,
        loss: str,
        train: ClassifierTrainParams,
        test_time_augmentation: str,
        stream_seed: Callable[[str], int],
        device: torch.device,
        autocast: Callable[[], AbstractContextManager[None]],
        ranks: Ranks,
    ) -> None:
        self.network = network.to(device=device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.images, self.val_images, self.val_targets = images, val_images, val_targets
        self.device, self.batches = device, Batches(images, device)
        self.targets = torch.tensor(targets, dtype=torch.float32, device=device)
        self.malignant_share = float(targets.mean())
        self.train, self.autocast, self.ranks = train, autocast, ranks
        self.test_time_augmentation = test_time_augmentation
        self.augment, self.loss = AUGMENTATIONS[augment], CLASSIFIER_LOSSES[loss]
        self.order = shown_order(targets, sampler, train.steps * train.batch_size, stream_seed("order"))
        trained = [weights for weights in network.parameters() if weights.requires_grad]
        self.optimizer = AdamW(trained, train.learning_rate, weight_decay=train.weight_decay, fused=True)
        self.schedule = learning_rate_schedule(self.optimizer, train)
        self.rng = torch.Generator(device).manual_seed(ranks.seed(stream_seed("augment")))
        torch.manual_seed(ranks.seed(stream_seed("dropout")))  # dropout and drop connect draw from the global stream
        self.step = 0
        self.best_auc, self.best_step = -1.0, 0
        self.best: dict[str, Tensor] = {}
        self.curve: list[dict[str, float]] = []

    def state(self) -> dict[str, Any]:
        return {
            **{name: getattr(self, name) for name in ("step", "best_auc", "best_step", "best", "curve")},
            "network": self.network.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "schedule": self.schedule.state_dict(),
            "rng": self.rng.get_state(),
            "global_rng": torch.get_rng_state(),
            "cuda_rng": torch.cuda.get_rng_state() if self.device.type == "cuda" else None,
        }

    def load(self, state: dict[str, Any]) -> None:
        """Goes on where another run with the same arguments was when it gave ``state``."""
        for name in ("step", "best_auc", "best_step", "best", "curve"):
            setattr(self, name, state[name])
        self.network.load_state_dict(state["network"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.schedule.load_state_dict(state["schedule"])
        if self.ranks.first:  # the others' streams begin anew
            self.rng.set_state(state["rng"])
            torch.set_rng_state(state["global_rng"])
            if self.device.type == "cuda":
                torch.cuda.set_rng_state(state["cuda_rng"])


def train_classifier(
    run: ClassifierRun, save: Callable[[dict[str, Any]], None], stepped: Callable[[int], object]
) -> Classifier:
    """Trains for ``train.steps`` steps.

    Args:
        run: new, or loaded with the state of an interrupted one.
        save: takes the state to resume from.
        stepped: takes the number of steps just done.

    Returns: the classifier with the weights of the best val AUC, in eval mode.

    Raises:
        InputError: when the loss is no longer finite.
    """
    losses: list[Tensor] = []
    while run.step < run.train.steps:
        losses.append(classifier_step(run))
        run.step += 1
        if run.step % run.train.evaluate_steps == 0 or run.step == run.train.steps:
            run.ranks.average_batch_statistics(run.network)
            evaluate(run, float(run.ranks.mean(torch.stack(losses).mean())))
            losses = []
            save(run.state())
        stepped(1)
    run.network.load_state_dict(run.best)
    return run.network.eval()


def classifier_step(run: ClassifierRun) -> Tensor:
    """One optimizer step; returns the mean loss, still on the device."""
    size = run.train.batch_size
    chosen, following = (run.ranks.share(run.order[step * size :][:size]) for step in (run.step, run.step + 1))
    batch = run.augment(to_unit_range(run.batches.take(chosen, following)), run.rng)
    targets = run.targets[chosen.to(run.device)]
    run.network.train()
    run.optimizer.zero_grad()
    parts = run.train.accumulate
    mean = torch.zeros((), device=run.device)
    for images, target in zip(batch.chunk(parts), targets.chunk(parts), strict=True):
        with run.autocast():
            logits = run.network(images.contiguous(memory_format=torch.channels_last)).float()
        loss = run.loss(logits, target, run.malignant_share).mean() / parts
        loss.backward()
        mean += loss.detach()
    run.ranks.average_gradients(run.network)
    run.optimizer.step()
    if not isinstance(run.schedule, ReduceLROnPlateau):
        run.schedule.step()
    return mean


def evaluate(run: ClassifierRun, loss: float) -> None:
    """A row of the curve; keeps the weights if the val AUC is the best so far, lowers the rate if it is at rest."""
    if not np.isfinite(loss):
        raise InputError(f"the loss became {loss} by step {run.step}; lower classifier.train.learning_rate")
    auc = roc_auc(run.val_targets, predict(run.network, run.val_images, run.test_time_augmentation))
    run.curve.append({"step": run.step, "loss": loss, "val_auc": auc})
    if auc > run.best_auc:
        run.best_auc, run.best_step = auc, run.step
        run.best = copy.deepcopy(run.network.state_dict())
    if isinstance(run.schedule, ReduceLROnPlateau):
        run.schedule.step(auc)


@torch.no_grad()
def predict(network: Classifier, images: Tensor, test_time_augmentation: str) -> NDArray[np.float64]:
    """Probability of malignancy, (N,); in float32, as bfloat16 would round it to ties.

    Args:
        images: (N, C, H, W) uint8, on any device.
        test_time_augmentation: none | flip | dihedral; of a turned image's logits the mean counts.
    """
    network.eval()
    device = next(network.parameters()).device
    logits = []
    for batch in images.split(EVALUATION_BATCH):
        turned = [network(view) for view in orientations(to_unit_range(batch.to(device)), test_time_augmentation)]
        logits.append(torch.stack(turned).mean(dim=0))
    return torch.sigmoid(torch.cat(logits).cpu().double()).numpy()
