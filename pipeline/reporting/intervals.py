"""The report's scheme table: every interval as it is printed, and where it is drawn on its axis."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from matplotlib.ticker import MaxNLocator

from pipeline.reporting.text import Reports, auc_cell, gain_cell

GAINS = {  # key of reports/classifier: what is compared with, in a column's head
    "auc_gain": "baseline",
    "auc_gain_over_classic": "classic",
    "auc_gain_over_placebo": "placebo",
}
TICKS = 4  # on an axis, about


class Axis(NamedTuple):
    low: float
    high: float
    ticks: tuple[float, ...]

    def place(self, value: float) -> float:
        """In % of the axis, from its low end."""
        return round(100 * (value - self.low) / (self.high - self.low), 2)


class Drawn(NamedTuple):
    """Where the ends of an interval and its value lie, in % of their axis."""

    low: float
    value: float
    high: float


class Cell(NamedTuple):
    value: str
    interval: str  # empty where there is none
    drawn: Drawn | None


class SchemeRow(NamedTuple):
    auc: Cell
    gains: dict[str, Cell]  # by the name of what is compared with


def auc_axis(reports: Reports) -> Axis:
    """From the lowest end of an interval to the highest."""
    return _axis([report[f"auc_ci_{end}"] for report in reports.values() for end in ("low", "high")])


def gain_axis(reports: Reports) -> Axis:
    """One for all gains, so that they can be compared; 0 is on it."""
    keys = [f"{key}_ci_{end}" for key in GAINS for end in ("low", "high")]
    return _axis([0.0, *(report[key] for report in reports.values() for key in keys if report[key] is not None)])


def _axis(values: list[float]) -> Axis:
    places = MaxNLocator(TICKS, steps=[1, 2, 5, 10]).tick_values(min(values), max(values))
    ticks = tuple(round(float(place), 6) for place in places)
    return Axis(ticks[0], ticks[-1], ticks)


def scheme_rows(reports: Reports) -> dict[str, SchemeRow]:
    """Scheme to its row; the drawn ones lie on ``auc_axis`` and ``gain_axis``."""
    auc, gain = auc_axis(reports), gain_axis(reports)
    return {
        scheme: SchemeRow(
            _cell(report, "auc", auc, auc_cell(report)),
            {rival: _cell(report, key, gain, gain_cell(report, key)) for key, rival in GAINS.items()},
        )
        for scheme, report in reports.items()
    }


def _cell(report: Mapping[str, Any], key: str, axis: Axis, printed: tuple[str, str]) -> Cell:
    ends = (report[f"{key}_ci_low"], report[key], report[f"{key}_ci_high"])
    return Cell(*printed, Drawn(*map(axis.place, ends)) if printed[1] else None)
