"""Views for self-supervised training: what stays the same in them, and what does not."""

import torch

from models.views import damaged_view, view


def two_valued(count: int = 200, channels: int = 3) -> torch.Tensor:
    rng = torch.Generator().manual_seed(1)
    coarse = torch.randint(0, 2, (count, channels, 4, 4), generator=rng).float()
    return coarse.repeat_interleave(8, dim=2).repeat_interleave(8, dim=3) - 0.5


def values_of(images: torch.Tensor) -> list[int]:
    """How many different values each channel of each image has."""
    return [len(channel.mul(1e4).round().unique()) for channel in images.flatten(0, 1)]


def test_a_view_interpolates_nothing() -> None:
    """Two values, moved by the same brightness, and the hidden square's gray."""
    seen = view(two_valued(), torch.Generator().manual_seed(0))
    assert max(values_of(seen)) == 3


def test_damage_is_soft_noisy_or_of_another_cast_each_a_third_of_the_time() -> None:
    images = two_valued(600)
    damaged = damaged_view(images, torch.Generator().manual_seed(0)).unflatten(0, (600,))
    counts = torch.tensor(values_of(damaged)).view(600, 3).max(dim=1).values
    cast, noisy = (counts <= 3).float().mean(), (counts > 800).float().mean()
    assert abs(cast - 1 / 3) < 0.06
    assert abs(noisy - 1 / 3) < 0.06


def test_a_cast_differs_between_channels() -> None:
    """Over 32x32 pixels noise averages out, so that only a cast is left."""
    damaged = damaged_view(torch.full((300, 3, 32, 32), 0.25), torch.Generator().manual_seed(0))
    assert (damaged.mean(dim=(2, 3)).std(dim=1) > 0.02).float().mean() > 0.2
