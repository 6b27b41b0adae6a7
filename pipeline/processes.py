"""Work on many items in several processes."""

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from multiprocessing import get_context
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def map_in_processes(
    work: Callable[[Item], Result], items: Sequence[Item], per_worker: int, workers: int | None = None
) -> Iterator[Result]:
    """The results in the order of the items.

    Args:
        work: a function of a module that is quickly imported.
        per_worker: items; fewer are done sooner than a process starts.
        workers: processes at the most; None: one for each core.
    """
    workers = min(workers or os.cpu_count() or 1, len(items) // per_worker)
    with ExitStack() as stack:
        if workers < 2:
            yield from map(work, items)
        else:
            # not fork: it copies the locks of numpy's threads
            pool = stack.enter_context(ProcessPoolExecutor(workers, get_context("spawn")))
            yield from pool.map(work, items, chunksize=16)
