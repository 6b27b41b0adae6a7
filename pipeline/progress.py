"""Progress bars with a rate, for loops that may take longer than about five seconds."""

import sys
from typing import Never

from tqdm import tqdm

SECONDS_BETWEEN_LINES = 10.0  # where the output is a file or a pipe, and not a terminal


def progress_bar(title: str, total: int, unit: str, initial: int = 0, *, shown: bool = True) -> "tqdm[Never]":
    """A bar that counts ``unit``; close it or use it as a context manager."""
    live = sys.stderr.isatty()
    return tqdm(
        desc=title,
        total=total,
        initial=initial,
        unit=f" {unit}",
        unit_scale=True,
        mininterval=0.5 if live else SECONDS_BETWEEN_LINES,
        ascii=not live,
        disable=not shown,
        ncols=None if live else 100,
    )
