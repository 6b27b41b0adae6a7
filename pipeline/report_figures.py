"""The report's pictures, each returned as a data URI: drawings as SVG, photographs as PNG, always the same bytes."""

import base64
import io
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray
from PIL import Image

from pipeline.images import at_size
from pipeline.registration import TURNS

PAIR_GAP = 4  # px of white between two images
WIDTH = 4.8  # inches: at the width of a telephone the letters are still legible
COLOURS = ("#3b6fb6", "#d1762a", "#3d8f5b", "#b23a48", "#7a5ba6", "#7f6a4f", "#c25b9a", "#5f6b76", "#8f9a2b", "#2f9aa8")
STYLE: Any = {
    "svg.hashsalt": "lesionforge",
    "svg.fonttype": "path",
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "#8a929b",
    "axes.grid": True,
    "grid.color": "#e6e8eb",
    "legend.frameon": False,
}
GAINS = {  # key of reports/classifier: what the gain is over, and its colour
    "auc_gain": ("baseline", "#8a929b"),
    "auc_gain_over_classic": ("classic", "#3b6fb6"),
    "auc_gain_over_placebo": ("placebo", "#d1762a"),
}
ROLES = ("generator_", "discriminator_", "real_", "fake_")  # columns of a training curve that differ in it only are d


def draw(height: float, paint: Callable[[Axes], None]) -> str:
    """One set of axes, painted, as a data URI."""
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(WIDTH, height), layout="constrained")
        paint(figure.add_subplot())
        buffer = io.BytesIO()
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    return data_uri("image/svg+xml", buffer.getvalue())


def data_uri(kind: str, content: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"


def gains_figure(reports: Mapping[str, Mapping[str, Any]]) -> str | None:
    """Every gain of every scheme with its interval, or None when there is none to draw."""
    rows = [(scheme, key) for scheme, report in reports.items() for key in GAINS if _is_drawn(report, key)]
    if not rows:
        return None
    return draw(
        1.0 + 0.25 * len(rows) + 0.15 * len({scheme for scheme, _ in rows}), lambda axes: _gains(axes, rows, reports)
    )


def _is_drawn(report: Mapping[str, Any], key: str) -> bool:
    """Gains over baseline of all schemes, over classic and placebo of those that are judged by them."""
    judged = key == "auc_gain" or report["verdict"] != "reference"
    itself = report[f"{key}_ci_low"] == report[f"{key}_ci_high"]  # or nothing to compare with
    return judged and not itself


def _gains(axes: Axes, rows: Sequence[tuple[str, str]], reports: Mapping[str, Mapping[str, Any]]) -> None:
    positions: dict[str, list[float]] = {}
    height = 0.0
    for scheme, key in rows:
        if scheme not in positions:
            height -= 0.6
        height -= 1
        positions.setdefault(scheme, []).append(height)
        report, (rival, colour) = reports[scheme], GAINS[key]
        axes.plot([report[f"{key}_ci_low"], report[f"{key}_ci_high"]], [height, height], color=colour, linewidth=1.8)
        axes.plot(report[key], height, "o", color=colour, markersize=5, label=f"over {rival}")
    axes.axvline(0, color="#20262c", linewidth=1)
    axes.set_yticks([np.mean(heights) for heights in positions.values()], list(positions))
    axes.tick_params(axis="y", length=0)
    axes.grid(visible=False, axis="y")
    axes.set_xlabel("gain in AUC")
    axes.locator_params(axis="x", nbins=5)
    drawn = {label: handle for handle, label in zip(*axes.get_legend_handles_labels(), strict=True)}
    handles = {f"over {rival}": drawn[f"over {rival}"] for rival, _ in GAINS.values() if f"over {rival}" in drawn}
    axes.legend(
        handles.values(), handles.keys(), ncols=3, loc="lower center", bbox_to_anchor=(0.5, 1.0), handletextpad=0.2
    )


def curves_figure(table: pd.DataFrame, x: str, y: str, labels: tuple[str, str], *, diagonal: bool, points: bool) -> str:
    """One line per ``series`` in the unit square."""

    def paint(axes: Axes) -> None:
        if diagonal:
            axes.plot([0, 1], [0, 1], color="#8a929b", linewidth=1, linestyle=(0, (2, 3)))
        for number, (series, rows) in enumerate(table.groupby("series", sort=False)):
            dashes = "-" if number < len(COLOURS) else "--"
            colour, marker = COLOURS[number % len(COLOURS)], "o" if points else ""
            axes.plot(rows[x], rows[y], dashes, color=colour, label=series, linewidth=1.5, marker=marker, markersize=3)
        axes.set(xlabel=labels[0], ylabel=labels[1], xlim=(-0.01, 1.01), ylim=(-0.01, 1.02))
        axes.legend(ncols=3, loc="lower center", bbox_to_anchor=(0.5, 1.0), columnspacing=1, handlelength=1.2)

    return draw(4.0 + 0.18 * (table["series"].nunique() // 3), paint)


def training_figures(curve: pd.DataFrame) -> dict[str, str]:
    """Title to drawing, for every number in a generator's training curve."""
    numbers = curve.select_dtypes("number").dropna(axis="columns", how="all").drop(columns="kimg")
    groups: dict[str, list[str]] = {}
    for name in map(str, numbers):
        role = next((role for role in ROLES if name.startswith(role)), "")
        groups.setdefault(name.removeprefix(role).replace("_", " "), []).append(name)
    return {title.capitalize(): draw(2.4, partial(_lines, curve=curve, names=names)) for title, names in groups.items()}


def _lines(axes: Axes, *, curve: pd.DataFrame, names: Sequence[str]) -> None:
    for name, colour in zip(names, COLOURS, strict=False):
        axes.plot(curve["kimg"], curve[name], color=colour, label=name.replace("_", " "), linewidth=1.5)
    axes.set_xlabel("thousands of real images shown")
    if len(names) > 1:
        axes.legend(ncols=2, loc="lower center", bbox_to_anchor=(0.5, 1.0))


def mosaic(images: NDArray[np.uint8], columns: int, size: int) -> str:
    """Images side by side, row by row.

    Args:
        images: (N, H, W, C) in [0, 255]; those beyond the last full row are left out.
        size: px of one image.
    """
    rows = max(1, len(images) // columns)
    columns = min(columns, len(images))
    tiles = at_size(images[: rows * columns], size)
    padded = np.pad(tiles, ((0, 0), (1, 1), (1, 1), (0, 0)), constant_values=255)
    side, channels = size + 2, tiles.shape[3]
    grid = padded.reshape(rows, columns, side, side, channels).swapaxes(1, 2)
    picture = grid.reshape(rows * side, columns * side, channels).squeeze()
    return _encoded(Image.fromarray(picture), "PNG")


def thumbnail(picture: Image.Image, size: int) -> str:
    """A picture with its longer side at most ``size`` px, as JPEG: looked at, never measured."""
    picture = picture.convert("RGB")
    picture.thumbnail((size, size), Image.Resampling.BICUBIC)
    return _encoded(picture, "JPEG")


def pair_picture(first: NDArray[np.uint8], second: NDArray[np.uint8], turn: str, size: int) -> str:
    """Two images side by side, the second after its turn, so that it lies as the first does; as JPEG.

    Args:
        first, second: (H, W, C) in [0, 255], square.
        turn: by its name in ``registration.TURNS``.
        size: px of one image.
    """
    tiles = at_size(np.concatenate([first[None], TURNS[turn](second[None])]), size)
    gap = np.full((size, PAIR_GAP, tiles.shape[3]), 255, dtype=np.uint8)
    return _encoded(Image.fromarray(np.concatenate([tiles[0], gap, tiles[1]], axis=1).squeeze()), "JPEG")


def _encoded(picture: Image.Image, kind: str) -> str:
    buffer = io.BytesIO()
    picture.save(buffer, format=kind, quality=88, optimize=True)
    return data_uri(f"image/{kind.lower()}", buffer.getvalue())
