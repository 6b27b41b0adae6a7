"""The report's words and drawings of how the schemes do on parts of the test split."""

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any, NamedTuple

from matplotlib.axes import Axes

from pipeline.reporting.figures import GRAY, draw, legend_above
from pipeline.reporting.text import DASH, auc_cell, gain_cell, percent

SHOWN = 4  # schemes in a figure, at most
MARK = "*"  # on a part with few images of a class
Part = Mapping[str, Any]


class Attribute(NamedTuple):
    """One figure and its table."""

    name: str
    figure: str
    head: list[str]
    rows: list[list[str]]


def attributes(parts: Sequence[Part], schemes: Sequence[str], colours: Mapping[str, str]) -> list[Attribute]:
    """Those by which the test split falls into parts; with one part there is nothing to compare.

    Args:
        parts: the content of reports/subgroups.json.
        schemes: those to be shown, classic first.
        colours: of every scheme, as in the other figures.
    """
    shown = schemes[:SHOWN]
    found = []
    for name, group in groupby(parts, key=lambda part: str(part["attribute"])):
        rows = list(group)
        if sum(bool(part["schemes"]) for part in rows) > 1:
            found.append(
                Attribute(
                    name,
                    figure(rows, {scheme: colours[scheme] for scheme in shown}),
                    _head(name, shown),
                    [_row(part, shown) for part in rows],
                )
            )
    return found


def figure(parts: Sequence[Part], schemes: Mapping[str, str]) -> str:
    """AUC with its interval of every scheme, in its colour, on every part that has one, from the first part down."""
    measured = [part for part in parts if part["schemes"]]

    def paint(axes: Axes) -> None:
        for rank, (scheme, colour) in enumerate(schemes.items()):
            of_scheme = [part["schemes"][scheme] for part in measured]
            places = [row + 0.6 * ((rank + 0.5) / len(schemes) - 0.5) for row in range(len(measured))]
            low, high = ([each[f"auc_ci_{end}"] for each in of_scheme] for end in ("low", "high"))
            axes.hlines(places, low, high, color=colour, linewidth=1.5)
            axes.plot([each["auc"] for each in of_scheme], places, "o", color=colour, markersize=4, label=scheme)
        axes.axvline(0.5, color=GRAY, linewidth=1, linestyle=(0, (2, 3)))
        axes.set_yticks(range(len(measured)), [label(part) for part in measured])
        axes.set(xlabel="AUC", ylim=(len(measured) - 0.5, -0.5))
        axes.grid(visible=False, axis="y")
        legend_above(axes, 2)

    return draw(1.2 + 0.16 * len(measured) * (1 + len(schemes)), paint)


def label(part: Part) -> str:
    return f"{part['part']}{MARK if part['few'] else ''}"


def _head(name: str, schemes: Sequence[str]) -> list[str]:
    classic, *others = schemes
    return [
        *(name, "test images", "malignant", "patients or lesions", f"AUC, {classic}"),
        *(f"gain over it, {scheme}" for scheme in others),
        *(f"{name}, {scheme}" for name in ("sensitivity", "specificity") for scheme in schemes),
    ]


def _row(part: Part, schemes: Sequence[str]) -> list[str]:
    counts = [label(part), *(f"{part[key]:,}" for key in ("images", "malignant", "groups"))]
    if not part["schemes"]:
        return [*counts, *[DASH] * (3 * len(schemes))]
    classic, *others = (part["schemes"][scheme] for scheme in schemes)
    return [
        *counts,
        _with_interval(auc_cell(classic)),
        *(_with_interval(gain_cell(other, "auc_gain_over_classic")) for other in others),
        *(_share(each, name) for name in ("sensitivity", "specificity") for each in (classic, *others)),
    ]


def _share(report: Mapping[str, float], name: str) -> str:
    return f"{percent(report[name])} ({percent(report[f'{name}_ci_low'])} to {percent(report[f'{name}_ci_high'])})"


def _with_interval(cell: tuple[str, str]) -> str:
    value, interval = cell
    return f"{value} ({interval})" if interval else value
