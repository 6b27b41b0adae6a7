"""The loop of every generator: steps, a moving average, looks at its images, and the average that looks best."""

import copy
import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from models.generators.families import Family
from pipeline.errors import InputError
from pipeline.params.gan import GanTrainParams
from pipeline.training.batches import Batches, EpochOrder, to_unit_range
from pipeline.training.ema import frozen_copy
from pipeline.training.ranks import Ranks

Terms = dict[str, Tensor]  # name: scalar, still on the device
Look = Callable[[nn.Module], dict[str, float]]  # a generator in eval mode -> val_kid, val_recall


@dataclass(frozen=True)
class RunInputs:
    """What every training is given besides its variant.

    Attributes:
        images: (N, C, H, W) uint8, on the device if there is room: the training images, and nothing else.
        told: what the generator is told: the labels (N,) on the device, or a translator's source images, as the images.
        autocast: gives the context in which networks are evaluated.
        ranks: the processes that train together, this one among them.
    """

    images: Tensor
    told: Tensor
    train: GanTrainParams
    seed: int
    device: torch.device
    autocast: Callable[[], AbstractContextManager[None]]
    ranks: Ranks = field(default_factory=Ranks)


class GeneratorRun(ABC):
    """All that one training consists of; ``state`` is what a checkpoint holds. Each family has its own kind.

    Args:
        network: what is averaged: the variant's generator, or what it is a part of.
    """

    remedy = "lower the variant's learning rates, or raise gan.train.kimg"  # of a collapse

    def __init__(self, variant: Family, network: nn.Module, given: RunInputs) -> None:
        self.variant, self.images, self.told = variant, given.images, given.told
        self.train, self.device, self.autocast, self.ranks = given.train, given.device, given.autocast, given.ranks
        self.batches = Batches(given.images, given.device)
        self.ema = frozen_copy(self.placed(network))
        self.order = EpochOrder(len(given.images), given.seed)
        self.rng = torch.Generator(given.device).manual_seed(self.ranks.seed(given.seed))
        self.latent_rng = self.rng
        if self.ranks.count > 1:  # in step with the other processes': each takes its share of all latents
            self.latent_rng = torch.Generator(given.device).manual_seed(given.seed)
        self.images_seen = 0
        self.curve: list[dict[str, float]] = []
        self.logged = Mean()
        self.best: dict[str, Tensor] = {}
        self.chosen: dict[str, float] = {}  # the row of the curve at which ``best`` was kept

    @abstractmethod
    def parts(self) -> dict[str, Any]:
        """What has a state of its own: networks, optimizers."""

    @abstractmethod
    def step(self) -> Terms:
        """Shows one or more batches, moves the networks and the average; what the curve shows of it."""

    def drawing(self) -> nn.Module:
        """The generator that would be kept now, in eval mode."""
        return self.ema

    def placed(self, network: nn.Module) -> nn.Module:
        """The network on the device, in the memory format that its convolutions like, to be trained."""
        network.to(device=self.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        return network.train()

    def state(self) -> dict[str, Any]:
        return {
            "images_seen": self.images_seen,
            "curve": self.curve,
            "best": self.best,
            "chosen": self.chosen,
            "rng": self.rng.get_state(),
            "latent_rng": self.latent_rng.get_state(),
            **{name: part.state_dict() for name, part in self._all_parts().items()},
        }

    def load(self, state: dict[str, Any]) -> None:
        """Goes on where another run with the same arguments was when it gave ``state``."""
        for name in ("images_seen", "curve", "best", "chosen"):
            setattr(self, name, state[name])
        if self.ranks.first:  # the others' streams begin anew
            self.rng.set_state(state["rng"])
        self.latent_rng.set_state(state["latent_rng"])
        for name, part in self._all_parts().items():
            part.load_state_dict(state[name])

    def _all_parts(self) -> dict[str, Any]:
        return {"ema": self.ema, **self.parts()}

    def next_batch(self) -> tuple[Tensor, Tensor]:
        """This process's share of the real images (N, C, H, W) in [-1, 1] that are next, and their indices (N,)."""
        chosen, following = self.chosen_by(self.order)
        return to_unit_range(self.batches.take(chosen, following)), chosen.to(self.device)

    def chosen_by(self, order: EpochOrder) -> tuple[Tensor, Tensor]:
        """This process's share of what an order shows next, and of what follows, on the CPU."""
        size = self.train.batch_size
        now, then = (self.ranks.share(order.indices(self.images_seen + ahead, size)) for ahead in (0, size))
        return now, then

    def latents(self) -> Tensor:
        """This process's share of a batch of latents."""
        return self.ranks.share(self.variant.latents(self.train.batch_size, self.latent_rng))


class Remembering:
    """A discriminator whose logits are wanted besides its loss; takes real images first, then fake ones."""

    def __init__(self, discriminator: Callable[[Tensor, Any], Tensor]) -> None:
        self._discriminator = discriminator
        self.logits: list[Tensor] = []

    def __call__(self, images: Tensor, told: Any) -> Tensor:
        self.logits.append(self._discriminator(images, told).float())
        return self.logits[-1]


def mean_logits(real: Tensor, fake: Tensor) -> Terms:
    """What the curve shows of them."""
    return {"real_logits": real.detach().mean(), "fake_logits": fake.detach().mean()}


class Mean:
    """Running means of named scalars, kept on their device so that no step waits for one."""

    def __init__(self) -> None:
        self._sums: Terms = {}
        self._counts: dict[str, int] = {}

    def add(self, terms: Terms) -> None:
        for name, value in terms.items():
            self._sums[name] = self._sums[name] + value if name in self._sums else value
            self._counts[name] = self._counts.get(name, 0) + 1

    def take(self, ranks: Ranks) -> dict[str, float]:
        """The means since the last call, over all processes."""
        means = {name: value / self._counts[name] for name, value in self._sums.items()}
        self._sums, self._counts = {}, {}
        together: list[float] = ranks.mean(torch.stack(list(means.values()))).tolist() if means else []
        return dict(zip(means, together, strict=True))


def train_generator(
    run: GeneratorRun, look: Look, save: Callable[[], None], shown: Callable[[int], object]
) -> nn.Module:
    """Trains until ``train.kimg`` thousand real images were shown, and keeps the averaged generator that looks best.

    Args:
        run: new, or loaded with the state of an interrupted one.
        look: compares what a generator draws with validation images; must draw from no stream of the training.
        save: called after every look, when ``run.state()`` can be resumed from.
        shown: takes the number of real images just shown.

    Returns: the averaged generator of the lowest val_kid, of those with enough recall, in eval mode.

    Raises:
        InputError: when a loss is no longer finite, naming the term and when; at the end, when even the chosen
            generator's images hold less of the validation images between them than ``train.min_recall``.
    """
    train = run.train
    total = train.images
    while run.images_seen < total:
        before = run.images_seen
        run.logged.add(run.step())
        looking = _crossed(before, run.images_seen, train.checkpoint_kimg) or run.images_seen >= total
        if looking or _crossed(before, run.images_seen, train.log_kimg):
            run.curve.append({"kimg": run.images_seen / 1000, **_finite(run.logged.take(run.ranks), run.images_seen)})
        if looking:
            generator = run.drawing()
            keep_best(run, generator, look(generator))
            save()
        shown(run.images_seen - before)
    refuse_collapse(run)
    generator = run.drawing()
    generator.load_state_dict(run.best)
    return generator


def keep_best(run: GeneratorRun, generator: nn.Module, found: dict[str, float]) -> None:
    """Adds what a look found to the curve's last row; keeps the averaged weights of the lowest val_kid.

    A collapse is kept only as long as nothing else was seen: alike images near the mean can have a low KID.
    """
    row = run.curve[-1]
    row |= found

    def order(look: dict[str, float]) -> tuple[bool, float]:
        return look["val_recall"] < run.train.min_recall, look["val_kid"]

    if not run.chosen or order(row) < order(run.chosen):
        run.chosen, run.best = dict(row), copy.deepcopy(generator.state_dict())


def refuse_collapse(run: GeneratorRun) -> None:
    chosen, last, least = run.chosen, run.curve[-1], run.train.min_recall
    if chosen["val_recall"] < least:
        seen = [f", {name} {value:.2g}" for name, value in last.items() if "_logits" in name or "_loss" in name]
        raise InputError(
            f"the generator collapsed: at its best, after {chosen['kimg']:g} kimg, recall of the validation images is "
            f"{chosen['val_recall']:.2f} (KID {chosen['val_kid']:.3g}) and gan.train.min_recall is {least:g}: its "
            f"images are too alike, or all unlike real ones{''.join(seen)}; {run.remedy}"
        )


def optimizer_step(
    losses: Terms,
    network: nn.Module,
    optimizer: torch.optim.Optimizer,
    name: str,
    ranks: Ranks,
    weights: dict[str, int] | None = None,
) -> Terms:
    """Reduces the per-sample terms once, steps, and returns what the curve shows.

    Args:
        losses: (N,) each.
        ranks: over which gradients are averaged.
        weights: of the terms that do not count once.
    """
    means = {term: loss.mean() for term, loss in losses.items()}
    optimizer.zero_grad()
    torch.stack([(weights or {}).get(term, 1) * mean for term, mean in means.items()]).sum().backward()
    gradients = ranks.average_gradients(network)
    optimizer.step()
    shown = {f"{name}_loss_{term}": mean.detach() for term, mean in means.items()}
    return shown | {f"{name}_gradient_norm": nn.utils.get_total_norm(gradients)}


def _finite(means: dict[str, float], images_seen: int) -> dict[str, float]:
    for name, value in means.items():
        if not math.isfinite(value):
            raise InputError(
                f"{name} became {value} by {images_seen / 1000:g} kimg: the training diverged; "
                "lower the variant's learning rates"
            )
    return means


def _crossed(before: int, after: int, every_kimg: float) -> bool:
    """Whether a multiple of ``every_kimg`` lies in (before, after]."""
    return int(after / (every_kimg * 1000)) > int(before / (every_kimg * 1000))
