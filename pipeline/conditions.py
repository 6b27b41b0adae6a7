"""What a conditional generator is told of an image: its class and, if asked for, what a column of the metadata says."""

from dataclasses import dataclass

import pandas as pd
import torch
from torch import Generator, Tensor

from pipeline.params.classes import TARGETS

CLASS_OF = {target: name for name, target in TARGETS.items()}


@dataclass(frozen=True)
class Conditions:
    """The labels that a generator knows, and how often each is to be drawn.

    Attributes:
        names: of the labels 0, 1, ...
        shares: of the labels among the training images of the class that the generator is to draw; they sum to 1.
    """

    names: list[str]
    shares: list[float]

    def draw(self, count: int, rng: Generator, device: torch.device) -> Tensor:
        """Labels (count,), each with its share; nothing is drawn from the rng where one has them all."""
        shares = torch.tensor(self.shares)
        if shares.max() == 1:
            return torch.full((count,), int(shares.argmax()), device=device)
        return torch.multinomial(shares, count, replacement=True, generator=rng).to(device)


class Numbers:
    """Says which of so many images are drawn next: in their order, each once."""

    def __init__(self, count: int) -> None:
        self._count, self._next = count, 0

    def draw(self, count: int, rng: Generator, device: torch.device) -> Tensor:
        """The next numbers, (count,) or as many as are left; nothing is drawn from the rng."""
        first, self._next = self._next, min(self._next + count, self._count)
        return torch.arange(first, self._next, device=device)


def labelled(images: pd.DataFrame, condition_on: str, target: int) -> tuple[pd.Series, Conditions]:
    """The label of every image, and the conditions under which images of ``target`` are drawn.

    Args:
        images: the training images, with ``target`` and the column ``condition_on``.
        condition_on: target, or a column; what is missing there is a value of its own.
    """
    told = images["target"].map(CLASS_OF).to_numpy(dtype=object)
    if condition_on != "target":
        told = told + ", " + images[condition_on].fillna("unknown").astype(str).to_numpy(dtype=object)
    labels, names = pd.factorize(told, sort=True)
    of_target = labels[(images["target"] == target).to_numpy()]
    shares = [float((of_target == label).mean()) for label in range(len(names))]
    return pd.Series(labels, index=images.index), Conditions(list(names), shares)
