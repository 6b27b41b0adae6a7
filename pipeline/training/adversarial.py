"""The loop of the adversarial family: discriminator steps, a generator step, a moving average, looks at its images."""

import copy
import math
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrize import cached, is_parametrized
from torch.optim import Adam

from models.augment import diff_augment
from models.generators.families import Adversarial
from pipeline.errors import InputError
from pipeline.params.gan import GanTrainParams
from pipeline.training.batches import EpochOrder, to_unit_range
from pipeline.training.ema import ema_decay, frozen_copy, update_ema

Terms = dict[str, Tensor]  # name: scalar, still on the device
Look = Callable[[nn.Module], dict[str, float]]  # a generator in eval mode -> val_kid, val_recall


class AdversarialRun:
    """All that one training consists of; ``state`` is what a checkpoint holds.

    Args:
        images: (N, C, H, W) uint8 on the device: the training images, and nothing else.
        labels: (N,) on the device.
        autocast: gives the context in which networks are evaluated.
    """

    def __init__(
        self,
        variant: Adversarial,
        images: Tensor,
        labels: Tensor,
        train: GanTrainParams,
        seed: int,
        autocast: Callable[[], AbstractContextManager[None]],
    ) -> None:
        self.variant, self.images, self.labels, self.train, self.autocast = variant, images, labels, train, autocast
        for network in (variant.generator, variant.discriminator):
            network.to(device=images.device, memory_format=torch.channels_last).train()  # type: ignore[call-overload]
        self.ema = frozen_copy(variant.generator)
        for_generator, for_discriminator = variant.learning_rates
        self.generator_optimizer = Adam(variant.generator.parameters(), for_generator, variant.betas)
        self.discriminator_optimizer = Adam(variant.discriminator.parameters(), for_discriminator, variant.betas)
        self.order = EpochOrder(len(images), seed)
        self.rng = torch.Generator(images.device).manual_seed(seed)
        self.augment = diff_augment(train.diff_augment)
        self.images_seen = 0
        self.curve: list[dict[str, float]] = []
        self.logged = Mean()
        self.best: dict[str, Tensor] = {}
        self.chosen: dict[str, float] = {}  # the row of the curve at which ``best`` was kept

    def state(self) -> dict[str, Any]:
        return {
            "images_seen": self.images_seen,
            "curve": self.curve,
            "best": self.best,
            "chosen": self.chosen,
            "rng": self.rng.get_state(),
            **{name: part.state_dict() for name, part in self._parts().items()},
        }

    def load(self, state: dict[str, Any]) -> None:
        """Goes on where another run with the same arguments was when it gave ``state``."""
        for name in ("images_seen", "curve", "best", "chosen"):
            setattr(self, name, state[name])
        self.rng.set_state(state["rng"])
        for name, part in self._parts().items():
            part.load_state_dict(state[name])

    def _parts(self) -> dict[str, Any]:
        return {
            "generator": self.variant.generator,
            "discriminator": self.variant.discriminator,
            "ema": self.ema,
            "generator_optimizer": self.generator_optimizer,
            "discriminator_optimizer": self.discriminator_optimizer,
            "logged": self.logged,
        }

    def next_batch(self) -> tuple[Tensor, Tensor]:
        """Real images (N, C, H, W) in [-1, 1] and their labels (N,) at the present position of the order."""
        chosen = self.order.indices(self.images_seen, self.train.batch_size).to(self.images.device)
        return to_unit_range(self.images[chosen]), self.labels[chosen]

    def fake(self, labels: Tensor) -> Tensor:
        return self.variant.generator(self.variant.latents(len(labels), self.rng), labels).float()


class Mean:
    """Running means of named scalars, kept on their device so that no step waits for one."""

    def __init__(self) -> None:
        self._sums: Terms = {}
        self._count = 0

    def add(self, terms: Terms) -> None:
        for name, value in terms.items():
            self._sums[name] = self._sums[name] + value if name in self._sums else value
        self._count += 1

    def take(self) -> dict[str, float]:
        """The means since the last call."""
        means = {name: float(value) / self._count for name, value in self._sums.items()}
        self._sums, self._count = {}, 0
        return means

    def state_dict(self) -> dict[str, Any]:
        return {"sums": self._sums, "count": self._count}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self._sums, self._count = state["sums"], state["count"]


def train_adversarial(
    run: AdversarialRun, look: Look, save: Callable[[], None], shown: Callable[[int], object]
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
    total = math.ceil(train.kimg * 1000)
    while run.images_seen < total:
        before = run.images_seen
        terms: Terms = {}
        for _ in range(run.variant.n_critic):
            terms |= discriminator_step(run)
            run.images_seen += train.batch_size
        terms |= generator_step(run)
        update_ema(run.ema, run.variant.generator, ema_decay(run.images_seen - before, run.images_seen, train.ema_kimg))
        run.logged.add(terms)
        looking = _crossed(before, run.images_seen, train.checkpoint_kimg) or run.images_seen >= total
        if looking or _crossed(before, run.images_seen, train.log_kimg):
            run.curve.append({"kimg": run.images_seen / 1000, **_finite(run.logged.take(), run.images_seen)})
        if looking:
            keep_best(run, look(run.ema))
            save()
        shown(run.images_seen - before)
    refuse_collapse(run)
    run.ema.load_state_dict(run.best)
    return run.ema


def keep_best(run: AdversarialRun, found: dict[str, float]) -> None:
    """Adds what a look found to the curve's last row; keeps the averaged weights of the lowest val_kid.

    A collapse is kept only as long as nothing else was seen: alike images near the mean can have a low KID.
    """
    row = run.curve[-1]
    row |= found

    def order(look: dict[str, float]) -> tuple[bool, float]:
        return look["val_recall"] < run.train.min_recall, look["val_kid"]

    if not run.chosen or order(row) < order(run.chosen):
        run.chosen, run.best = dict(row), copy.deepcopy(run.ema.state_dict())


def refuse_collapse(run: AdversarialRun) -> None:
    chosen, last, least = run.chosen, run.curve[-1], run.train.min_recall
    if chosen["val_recall"] < least:
        raise InputError(
            f"the generator collapsed: at its best, after {chosen['kimg']:g} kimg, recall of the validation images is "
            f"{chosen['val_recall']:.2f} (KID {chosen['val_kid']:.3g}) and gan.train.min_recall is {least:g}: its "
            f"images are too alike, or all unlike real ones; at the end mean logits were {last['real_logits']:.2g} for "
            f"real and {last['fake_logits']:.2g} for its images; lower the variant's "
            "generator_learning_rate and discriminator_learning_rate, or raise gan.train.kimg"
        )


def discriminator_step(run: AdversarialRun) -> Terms:
    """One step of the discriminator; real and fake pass through it apart, so batch norm never mixes them."""
    real, labels = run.next_batch()
    discriminator = _Augmented(run)
    with cached():
        _compute_weights(run.variant.discriminator)
        with run.autocast():
            with torch.no_grad():
                fake = run.fake(labels)
            losses = run.variant.discriminator_loss(discriminator, real, fake, labels)
    terms = _step(losses, run.variant.discriminator, run.discriminator_optimizer, "discriminator")
    return terms | {"real_logits": discriminator.means[0], "fake_logits": discriminator.means[1]}


def generator_step(run: AdversarialRun) -> Terms:
    """One step of the generator on a fresh fake batch."""
    real, labels = run.next_batch()
    run.variant.discriminator.requires_grad_(False)
    with cached():
        _compute_weights(run.variant.discriminator)
        with run.autocast():
            losses = run.variant.generator_loss(_Augmented(run), real, run.fake(labels), labels)
    terms = _step(losses, run.variant.generator, run.generator_optimizer, "generator")
    run.variant.discriminator.requires_grad_(True)
    return terms


def _compute_weights(network: nn.Module) -> None:
    """Fills the cache of parametrised weights in float32: under autocast spectral norms would be estimated in bf16."""
    for layer in network.modules():
        if is_parametrized(layer, "weight"):
            layer.weight  # noqa: B018


class _Augmented:
    """The discriminator behind differentiable augmentation; remembers the mean logit of each call."""

    def __init__(self, run: AdversarialRun) -> None:
        self._run = run
        self.means: list[Tensor] = []

    def __call__(self, images: Tensor, labels: Tensor) -> Tensor:
        logits = self._run.variant.discriminator(self._run.augment(images, self._run.rng), labels).float()
        self.means.append(logits.detach().mean())
        return logits


def _step(losses: Terms, network: nn.Module, optimizer: torch.optim.Optimizer, name: str) -> Terms:
    """Reduces the per-sample terms once, steps, and returns what the curve shows."""
    means = {term: loss.mean() for term, loss in losses.items()}
    optimizer.zero_grad()
    torch.stack(list(means.values())).sum().backward()
    gradients = [parameter.grad for parameter in network.parameters() if parameter.grad is not None]
    optimizer.step()
    shown = {f"{name}_loss_{term}": mean.detach() for term, mean in means.items()}
    return shown | {f"{name}_gradient_norm": nn.utils.get_total_norm(gradients)}


def _finite(means: dict[str, float], images_seen: int) -> dict[str, float]:
    for name, value in means.items():
        if not math.isfinite(value):
            raise InputError(
                f"{name} became {value} by {images_seen / 1000:g} kimg: the training diverged; "
                "lower the variant's generator_learning_rate and discriminator_learning_rate"
            )
    return means


def _crossed(before: int, after: int, every_kimg: float) -> bool:
    """Whether a multiple of ``every_kimg`` lies in (before, after]."""
    return int(after / (every_kimg * 1000)) > int(before / (every_kimg * 1000))
