"""The report's times and memory: what the latest run of each stage took on this machine."""

import math
from collections.abc import Collection
from typing import NamedTuple

import pandas as pd


class Time(NamedTuple):
    stage: str
    runs: int  # matrix items
    seconds: float
    peak: float  # megabytes, of the largest item; not a number where it is not known


def stage_times(log: pd.DataFrame, items: Collection[str], without: str) -> list[Time]:
    """Each stage's seconds, summed over its matrix items, the slowest first.

    Args:
        log: logs/stages.csv; a title may come again and again, and the last is the latest.
        items: the matrix items of the present params; what others took is no part of this experiment.
        without: a stage that is left out.
    """
    latest = log.drop_duplicates("stage", keep="last")
    titles = latest["stage"].str.partition("@")
    kept = (titles[2].isin({"", *items})) & (titles[0] != without)
    groups = latest[kept].groupby(titles[0][kept])
    times = [
        Time(str(stage), len(rows), float(rows["seconds"].sum()), float(rows["peak_mb"].max()))
        for stage, rows in groups
    ]
    return sorted(times, key=lambda time: (-time.seconds, time.stage))


def taken(time: Time) -> str:
    """Seconds and memory: 3 min 5 s, 1,204 MB."""
    return duration(time.seconds) + ("" if math.isnan(time.peak) else f", {time.peak:,.0f} MB")


def duration(seconds: float) -> str:
    """As one would say it: 8.3 s, 3 min 5 s, 2 h 10 min."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes_left = divmod(minutes, 60)
    return f"{hours} h {minutes_left} min" if hours else f"{minutes} min {rest} s"
