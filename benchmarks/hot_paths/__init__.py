"""The paths that take a run's time, each beside the plain loop that a first project would write for it."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import NamedTuple

import torch
from torch.utils.flop_counter import FlopCounterMode


class HotPath(NamedTuple):
    """One path, both ways.

    Attributes:
        unit: what is counted: images, pairs.
        units: that one call of ``ours`` handles.
        plain_units: that one call of ``plain`` handles: fewer where it would take minutes.
        floor: the ratio of rates that is wanted at the least.
        flops: multiplications and additions of one call of ours; 0 where they are not what takes the time.
        dtype: in which ours multiplies.
        note: what the reader of the ratio must know.
        timed: whether each call returns its own seconds, as they are those of other processes.
    """

    name: str
    unit: str
    units: int
    ours: Callable[[], object]
    plain: Callable[[], object]
    plain_units: int
    floor: float
    flops: float = 0
    dtype: torch.dtype = torch.float32
    note: str = ""
    timed: bool = False


def counted_flops(call: Callable[[], object]) -> float:
    """Of matrix products and convolutions. Grouped convolutions are taken for full ones in a backward pass."""
    with FlopCounterMode(display=False) as counter:
        call()
    return float(counter.get_total_flops())


def dtype_in(context: AbstractContextManager[None], device: torch.device) -> torch.dtype:
    """In which matrices are multiplied in that context of automatic precision."""
    with context:
        return torch.get_autocast_dtype(device.type) if torch.is_autocast_enabled(device.type) else torch.float32
