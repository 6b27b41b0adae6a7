"""Several processes that train one network: each is shown its share of every batch, and gradients are averaged.

A batch stays as large as the params say, so the training is the same but for rounding, for what is drawn at random, and
for what is a property of a batch, which is then that of a share: batch norm's statistics, and overlap losses.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from pipeline.errors import InputError

CPU = torch.device("cpu")


@dataclass(frozen=True)
class Ranks:
    """This process among those that train together.

    Attributes:
        rank: 0 is the first, which alone writes what comes of it.
        count: processes.
        mean_of: takes every process's values of one shape, and gives each their means.
        device: that this process computes on.
    """

    rank: int = 0
    count: int = 1
    mean_of: Callable[[Tensor], Tensor] | None = None
    device: torch.device = CPU

    @property
    def first(self) -> bool:
        return self.rank == 0

    def share(self, batch: Tensor) -> Tensor:
        """This process's rows of the whole batch (N, ...), N / count of them."""
        return batch[self.rank :: self.count]

    def seed(self, seed: int) -> int:
        """Of a random stream that is to differ from the other processes'; the first's is the given one."""
        return seed + self.rank

    def mean(self, values: Tensor) -> Tensor:
        """Of every process's values, element by element."""
        return self.mean_of(values.clone()) if self.mean_of else values

    def average_gradients(self, network: nn.Module) -> list[Tensor]:
        """To be called between the backward pass and the optimizer's step; the gradients, averaged."""
        gradients = [parameter.grad for parameter in network.parameters() if parameter.grad is not None]
        self._average(gradients)
        return gradients

    def average_batch_statistics(self, network: nn.Module) -> None:
        """To be called before the network is looked at: each process has kept those of its share."""
        self._average([buffer for buffer in network.buffers() if buffer.is_floating_point()])

    @torch.no_grad()
    def _average(self, tensors: Sequence[Tensor]) -> None:
        """Puts in the place of each tensor its mean over the processes; at once, as each exchange takes its time."""
        if self.mean_of and tensors:
            means = self.mean_of(torch.cat([tensor.flatten() for tensor in tensors]))
            for tensor, mean in zip(tensors, means.split([tensor.numel() for tensor in tensors]), strict=True):
                tensor.copy_(mean.view(tensor.shape))

    def check_batch(self, size: int, key: str, parts: int = 1) -> None:
        """Raises InputError if a batch cannot be shared evenly, each share in so many parts."""
        if size % (self.count * parts):
            by = [f"{self.count} processes"] * (self.count > 1) + [f"{parts} parts"] * (parts > 1)
            raise InputError(f"{key} is {size}, which {' of '.join(by)} cannot share evenly; give a multiple")
