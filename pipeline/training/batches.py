"""Batches from packed arrays, and the order in which images are shown."""

from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

DEVICE_SHARE = 0.5  # of the device's free memory that training images may take; the networks need the rest


def as_tensor(images: NDArray[np.uint8], device: torch.device) -> Tensor:
    """Packed images (N, H, W, C) as a uint8 tensor (N, C, H, W) on the device, in channels-last memory."""
    return torch.from_numpy(np.require(images, requirements=("C", "W"))).to(device).permute(0, 3, 1, 2)


def where_room_is(images: NDArray[np.uint8], device: torch.device) -> Tensor:
    """As ``as_tensor``, on the device if they take no more than a part of what is free there; else on the CPU."""
    if device.type == "cuda" and images.nbytes > DEVICE_SHARE * torch.cuda.mem_get_info(device)[0]:
        device = torch.device("cpu")
    return as_tensor(images, device)


class Batches:
    """Batches of images, on the device, wherever the images are.

    Those that are elsewhere are gathered in pinned memory by a thread, a batch ahead, while the device computes.

    Args:
        images: (N, ...), on the device or on the CPU.
    """

    def __init__(self, images: Tensor, device: torch.device) -> None:
        self._images, self._device = images, device
        self._thread = ThreadPoolExecutor(max_workers=1) if is_elsewhere(images, device) else None
        nothing = torch.empty(0, dtype=torch.long)
        self._taken = (nothing, images[:0])
        self._ahead = (nothing, Future[Tensor]())

    def take(self, indices: Tensor, following: Tensor) -> Tensor:
        """The images at ``indices`` (B,), on the CPU as ``following`` are, which will be asked for next."""
        if not self._thread:
            return self._images[indices.to(self._device)]
        if not torch.equal(indices, self._taken[0]):  # a discriminator begins with the batch that the generator had
            ready = torch.equal(indices, self._ahead[0])
            gathered = self._ahead[1].result() if ready else self._gathered(indices)
            self._taken = indices, gathered.to(self._device, non_blocking=True)
            self._ahead = following, self._thread.submit(self._gathered, following)
        return self._taken[1]

    def _gathered(self, indices: Tensor) -> Tensor:
        batch = self._images[indices]
        return batch.pin_memory() if self._device.type == "cuda" else batch


def is_elsewhere(images: Tensor, device: torch.device) -> bool:
    return images.device.type != device.type


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
