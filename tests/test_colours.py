"""Calibration of colours against closed forms."""

import pytest
import torch

from models.colours import Calibrated


class Still(torch.nn.Module):
    """Gives back what it is given as z, as images."""

    def forward(self, z: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        return z


def batches(images: torch.Tensor, labels: torch.Tensor) -> list[tuple[torch.Tensor, torch.Tensor]]:
    return list(zip(images.split(7), labels.split(7), strict=True))


@pytest.mark.parametrize("channels", [1, 3])
def test_means_and_deviations_become_those_of_real_images_of_the_same_label(channels: int) -> None:
    rng = torch.Generator().manual_seed(0)
    labels = torch.tensor([0, 2]).repeat(20)  # nothing has label 1
    drawn, real = (torch.randn(40, channels, 4, 4, generator=rng) * 0.1 for _ in range(2))
    real = real * (1 + labels.view(-1, 1, 1, 1) / 4) - labels.view(-1, 1, 1, 1) / 8
    network = Calibrated(Still(), 3, channels)
    assert torch.equal(network(drawn, labels), drawn)
    network.calibrate(batches(drawn, labels), batches(real, labels))
    held = network(drawn, labels)
    for label in (0, 2):
        mine, theirs = held[labels == label], real[labels == label]
        assert torch.allclose(mine.mean(dim=(0, 2, 3)), theirs.mean(dim=(0, 2, 3)), atol=1e-5)
        deviations = (each.std(dim=(0, 2, 3), correction=0) for each in (mine, theirs))
        assert torch.allclose(*deviations, atol=1e-5)
    assert network.gain[1].tolist() == [1] * channels
    assert network.shift[1].tolist() == [0] * channels
    assert torch.equal(network(drawn, torch.ones(40, dtype=torch.long)), drawn)


def test_with_one_calibration_labels_play_no_part() -> None:
    rng = torch.Generator().manual_seed(0)
    labels = torch.tensor([0, 2]).repeat(20)
    drawn, real = (torch.randn(40, 3, 4, 4, generator=rng) * spread for spread in (0.1, 0.2))
    network = Calibrated(Still(), 1, 3)
    network.calibrate(batches(drawn, labels), batches(real, labels.flip(0)))
    assert torch.allclose(network(drawn, labels).mean(dim=(0, 2, 3)), real.mean(dim=(0, 2, 3)), atol=1e-5)
    assert torch.equal(network(drawn, labels), network(drawn, torch.zeros(40, dtype=torch.long)))


def test_what_is_drawn_stays_in_range_and_a_flat_channel_is_only_shifted() -> None:
    drawn, labels = torch.full((8, 1, 4, 4), 0.5), torch.zeros(8, dtype=torch.long)
    real = torch.rand(8, 1, 4, 4, generator=torch.Generator().manual_seed(0)) * 2 - 1
    network = Calibrated(Still(), 1, 1)
    network.calibrate(batches(drawn, labels), batches(real, labels))
    assert float(network.gain) == 1
    assert float(network(drawn, labels).mean()) == pytest.approx(float(real.mean()), abs=1e-6)
    assert network(drawn * 9, labels).max() == 1
