"""The report's drawings of results, each returned as an SVG data URI, always the same bytes."""

import io
from collections.abc import Callable, Mapping
from typing import Any

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from pipeline.reporting.pictures import data_uri

WIDTH = 4.2  # inches: at the width of a telephone the letters are still legible
COLOURS = ("#3b6fb6", "#d1762a", "#3d8f5b", "#b23a48", "#7a5ba6", "#7f6a4f", "#c25b9a", "#5f6b76", "#8f9a2b", "#2f9aa8")
GRAY, INK = "#8a929b", "#20262c"
STYLE: Any = {
    "svg.hashsalt": "lesionforge",
    "svg.fonttype": "path",
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": GRAY,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#e6e8eb",
    "legend.frameon": False,
}
BINS = 40  # of a histogram


def draw(height: float, paint: Callable[[Axes], None]) -> str:
    """One set of axes, ``height`` inches high, painted, as a data URI."""
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(WIDTH, height), layout="constrained")
        paint(figure.add_subplot())
        buffer = io.BytesIO()
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    return data_uri("image/svg+xml", buffer.getvalue())


def legend_above(axes: Axes, columns: int) -> None:
    axes.legend(ncols=columns, loc="lower center", bbox_to_anchor=(0.5, 1.0), columnspacing=1, handlelength=1.2)


def curves_figure(table: pd.DataFrame, x: str, y: str, labels: tuple[str, str], *, diagonal: bool, points: bool) -> str:
    """One line per ``series`` in the unit square."""

    def paint(axes: Axes) -> None:
        if diagonal:
            axes.plot([0, 1], [0, 1], color=GRAY, linewidth=1, linestyle=(0, (2, 3)))
        for number, (series, rows) in enumerate(table.groupby("series", sort=False)):
            dashes = "-" if number < len(COLOURS) else "--"
            colour, marker = COLOURS[number % len(COLOURS)], "o" if points else ""
            axes.plot(rows[x], rows[y], dashes, color=colour, label=series, linewidth=1.5, marker=marker, markersize=3)
        axes.set(xlabel=labels[0], ylabel=labels[1], xlim=(-0.01, 1.01), ylim=(-0.01, 1.02))
        legend_above(axes, 3)

    return draw(3.6 + 0.18 * (table["series"].nunique() // 3), paint)


def likeness_figure(likeness: Mapping[str, NDArray[np.float64]], copy_likeness: float) -> str:
    """Histograms of likeness to the most similar training image, each (N,) by its name, and where copies begin."""
    bins = np.linspace(0, 1, BINS + 1).tolist()

    def paint(axes: Axes) -> None:
        for (name, found), colour in zip(likeness.items(), COLOURS, strict=False):
            share = np.full(len(found), 100 / len(found))
            axes.hist(found, bins, weights=share, color=colour, alpha=0.55, label=f"{name} ({len(found):,})")
        axes.axvspan(copy_likeness, 1, color=COLOURS[3], alpha=0.25, linewidth=0, label="copies, dropped")
        axes.set(xlabel="likeness to the most similar training image", ylabel="% of the images", xlim=(0, 1))
        legend_above(axes, 1)

    return draw(2.9, paint)
