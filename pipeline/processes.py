"""Work on many items in several processes."""

from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import TypeVar

from pipeline.cores import available_cores

Item = TypeVar("Item")
Result = TypeVar("Result")


def map_in_processes(
    work: Callable[[Item], Result], items: Sequence[Item], worth: int, workers: int | None = None
) -> Generator[Result]:
    """The results in the order of the items; those that nobody asks for any more are not worked on.

    Args:
        work: a function of a module that is quickly imported.
        worth: processes that the work is worth: less is done sooner than a process starts.
        workers: processes at the most; None: one for each core.
    """
    workers = min(workers or available_cores(), worth)
    if workers < 2:
        yield from map(work, items)
        return
    pool = ProcessPoolExecutor(workers, get_context("spawn"))  # not fork: it copies the locks of numpy's threads
    try:
        yield from pool.map(work, items, chunksize=16)
    finally:
        pool.shutdown(cancel_futures=True)
