"""Colours of a generator's images held to those of the training images, channel by channel."""

from collections.abc import Iterable

import torch
from torch import Tensor, nn

Batch = tuple[Tensor, Tensor]  # images (N, C, H, W), labels (N,)


class Calibrated(nn.Module):
    """(z (N, Z), labels (N,)) -> the network's images, each channel times a gain plus a shift, held to [-1, 1].

    Both are those of the image's label where there are several, and 1 and 0 until ``calibrate`` sets them. After a
    short training the colours of a generator are off in mean and in spread, and can be put right without training.
    """

    gain: Tensor  # (classes, C)
    shift: Tensor

    def __init__(self, network: nn.Module, classes: int, channels: int) -> None:
        super().__init__()
        self.network = network
        self.register_buffer("gain", torch.ones(classes, channels))
        self.register_buffer("shift", torch.zeros(classes, channels))

    def forward(self, z: Tensor, labels: Tensor) -> Tensor:
        gain, shift = (values[self._of(labels)][:, :, None, None] for values in (self.gain, self.shift))
        return (self.network(z, labels) * gain + shift).clamp(-1, 1)

    @torch.no_grad()
    def calibrate(self, drawn: Iterable[Batch], real: Iterable[Batch]) -> None:
        """Gives what the network draws the means and standard deviations of real pixels, label by label.

        Args:
            drawn: by the network alone; every label that is to be calibrated.
            real: training images in [-1, 1]; every label that was drawn.
        """
        mean, deviation, seen = self._statistics(drawn)
        real_mean, real_deviation, _ = self._statistics(real)
        gain = torch.where(seen & (deviation > 0), real_deviation / deviation.clamp(min=1e-8), 1)
        self.gain.copy_(gain)
        self.shift.copy_(torch.where(seen, real_mean - gain * mean, 0))

    def _statistics(self, batches: Iterable[Batch]) -> tuple[Tensor, Tensor, Tensor]:
        """Of the pixels of each label: means and standard deviations (classes, C), and whether there are any."""
        count = self.gain.new_zeros(len(self.gain), 1, dtype=torch.float64)
        total, squares = (torch.zeros_like(self.gain, dtype=torch.float64) for _ in range(2))
        for images, labels in batches:
            pixels = images.double().flatten(2)
            labels = self._of(labels)
            count.index_add_(0, labels, torch.full_like(pixels[:, :1, 0], pixels.shape[2]))
            total.index_add_(0, labels, pixels.sum(dim=2))
            squares.index_add_(0, labels, (pixels**2).sum(dim=2))
        mean = total / count.clamp(min=1)
        return mean, (squares / count.clamp(min=1) - mean**2).clamp(min=0).sqrt(), count > 0

    def _of(self, labels: Tensor) -> Tensor:
        """With one gain for all, a label says nothing."""
        return labels if len(self.gain) > 1 else torch.zeros_like(labels)
