"""Training images that the device has no room for: they stay where they are, and nothing else changes."""

import threading

import numpy as np
import pytest
import torch

from pipeline.training import batches
from pipeline.training.batches import Batches, EpochOrder, as_tensor, where_room_is
from pipeline.training.ranks import Ranks
from tests.together import TRAININGS

CPU = torch.device("cpu")


@pytest.fixture
def elsewhere(monkeypatch) -> None:
    """As on a GPU whose images have stayed on the CPU."""
    monkeypatch.setattr(batches, "is_elsewhere", lambda images, device: True)


@pytest.mark.parametrize("name", TRAININGS)
def test_a_training_is_the_same_wherever_its_images_are(name, monkeypatch) -> None:
    here = TRAININGS[name](Ranks())
    monkeypatch.setattr(batches, "is_elsewhere", lambda images, device: True)
    assert TRAININGS[name](Ranks()) == here


def test_each_batch_is_gathered_once_and_ahead(elsewhere, monkeypatch) -> None:
    gathered: list[tuple[list[int], bool]] = []
    gather = Batches._gathered

    def noted(self: Batches, indices: torch.Tensor) -> torch.Tensor:
        gathered.append((indices.tolist(), threading.current_thread() is threading.main_thread()))
        return gather(self, indices)

    monkeypatch.setattr(Batches, "_gathered", noted)
    images = torch.arange(10, dtype=torch.uint8)[:, None]
    order, taken = EpochOrder(10, seed=0), Batches(images, CPU)
    for start in (0, 4, 4, 8):  # the generator's batch is the discriminator's next
        now = order.indices(start, 4)
        assert taken.take(now, order.indices(start + 4, 4)).flatten().tolist() == now.tolist()
    expected = [(order.indices(start, 4).tolist(), start == 0) for start in (0, 4, 8, 12)]
    assert gathered in (expected[:3], expected)  # the thread may have come to the fourth by now, or not


def test_what_was_not_foretold_is_gathered_all_the_same(elsewhere) -> None:
    taken = Batches(torch.arange(10), CPU)
    for indices in ([1, 2], [5, 6], [0, 9]):
        assert taken.take(torch.tensor(indices), torch.tensor([3, 4])).tolist() == indices


def test_images_go_where_room_is(monkeypatch) -> None:
    images = np.zeros((8, 4, 4, 3), dtype=np.uint8)
    free = images.nbytes  # more than half of it
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (free, 10 * free))
    assert where_room_is(images, torch.device("cuda")).device == CPU
    assert where_room_is(images, CPU).shape == (8, 3, 4, 4)


def test_an_array_is_copied_if_it_is_read_only_or_not_in_order_and_else_not() -> None:
    images = np.zeros((2, 4, 4, 3), dtype=np.uint8)
    images[0, 0] = 1
    mirrored = as_tensor(images[:, ::-1], CPU)
    assert mirrored.is_contiguous(memory_format=torch.channels_last)
    assert mirrored[0, :, -1].all()
    assert as_tensor(images, CPU).data_ptr() == images.ctypes.data
    images.flags.writeable = False
    assert as_tensor(images, CPU).data_ptr() != images.ctypes.data
