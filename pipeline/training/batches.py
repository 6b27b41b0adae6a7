"""Batches from packed arrays, and the order in which images are shown."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor


def as_tensor(images: NDArray[np.uint8], device: torch.device) -> Tensor:
    """Packed images (N, H, W, C) as a uint8 tensor (N, C, H, W) on the device, in channels-last memory."""
    return torch.from_numpy(np.array(images)).to(device).permute(0, 3, 1, 2)


def to_unit_range(images: Tensor) -> Tensor:
    """uint8 [0, 255] to float32 [-1, 1]."""
    return images.float() / 127.5 - 1


def to_uint8(images: Tensor) -> NDArray[np.uint8]:
    """Float (N, C, H, W) in [-1, 1] to packed uint8 (N, H, W, C), rounded."""
    scaled = ((images.float() + 1) * 127.5).round().clamp(0, 255).to(torch.uint8)
    return scaled.permute(0, 2, 3, 1).cpu().numpy()


class EpochOrder:
    """An endless order of images in which every epoch shows each once, in a new shuffle.

    No state decides it: the indices at a position depend on the seed alone, so a resumed run goes on exactly.
    """

    def __init__(self, count: int, seed: int) -> None:
        self._count, self._seed = count, seed
        self._last: tuple[int, Tensor] = (-1, torch.empty(0))

    def indices(self, start: int, length: int) -> Tensor:
        """Indices (length,) of the images shown at positions start ... start + length - 1."""
        first, last = start // self._count, (start + length - 1) // self._count
        epochs = torch.cat([self._epoch(epoch) for epoch in range(first, last + 1)])
        offset = start - first * self._count
        return epochs[offset : offset + length]

    def _epoch(self, epoch: int) -> Tensor:
        if epoch != self._last[0]:
            shuffled = np.random.default_rng([self._seed, epoch]).permutation(self._count)
            self._last = (epoch, torch.from_numpy(shuffled))
        return self._last[1]
