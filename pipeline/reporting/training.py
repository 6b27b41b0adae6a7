"""The report's drawings of training: generators, classifiers, and what the feature extractor sees."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from pipeline.reporting.figures import COLOURS, GRAY, INK, draw, legend_above

# Columns of a training curve that differ in it only share a figure.
ROLES = ("generator_", "discriminator_", "real_", "fake_")
# Columns of a training curve that have a value at checkpoints only.
VALIDATION = {"val_kid": "KID to validation images", "val_recall": "Recall of validation images"}
Curves = Mapping[int, pd.DataFrame]  # seed to step, loss, val_auc


def generator_figures(curve: pd.DataFrame, kept_kimg: float) -> dict[str, str]:
    """Title to drawing, for every number in reports/plots/gan_<class>_<seed>.csv.

    Args:
        kept_kimg: of the checkpoint that was kept.
    """
    numbers = curve.select_dtypes("number").dropna(axis="columns", how="all").drop(columns="kimg")
    groups: dict[str, list[str]] = {}
    for name in map(str, numbers.drop(columns=list(VALIDATION), errors="ignore")):
        groups.setdefault(_title(name), []).append(name)
    figures = {title: draw(2.4, partial(_lines, curve=curve, names=names)) for title, names in groups.items()}
    for name, title in VALIDATION.items():
        if name in numbers:
            looks = curve.dropna(subset=name).set_index("kimg")[name]
            figures[title] = draw(2.4, partial(_validation, looks=looks, kept_kimg=kept_kimg))
    return figures


def _title(column: str) -> str:
    if "loss" in column:
        return "Losses"
    return column.removeprefix(_role(column)).replace("_", " ").capitalize()


def _role(column: str) -> str:
    return next((role for role in ROLES if column.startswith(role)), "")


def _label(column: str) -> str:
    """What its figure's title leaves to say."""
    left = column.replace("_loss", "") if "loss" in column else _role(column)
    return left.replace("_", " ").strip()


def _lines(axes: Axes, *, curve: pd.DataFrame, names: Sequence[str]) -> None:
    for name, colour in zip(names, COLOURS, strict=False):
        axes.plot(curve["kimg"], curve[name], color=colour, label=_label(name), linewidth=1.5)
    axes.set_xlabel("real images shown, thousands")
    if len(names) > 1:
        legend_above(axes, 2 if len(names) < 5 else 1)


def _validation(axes: Axes, *, looks: "pd.Series[float]", kept_kimg: float) -> None:
    label = f"kept: {looks[kept_kimg]:.3g}, after {kept_kimg:g} thousand"
    axes.plot(looks.index, looks, "o-", color=COLOURS[2], linewidth=1.5, markersize=3.5)
    axes.plot(kept_kimg, looks[kept_kimg], "o", color=INK, fillstyle="none", markersize=9, label=label)
    axes.set_xlabel("real images shown, thousands")
    legend_above(axes, 1)


def classifier_figures(schemes: Mapping[str, Curves]) -> dict[str, str]:
    """Scheme to drawing of its val AUC by step: every seed, the mean, and the steps whose weights were kept."""
    every = pd.concat([curve for curves in schemes.values() for curve in curves.values()])
    low, high = every["val_auc"].min(), every["val_auc"].max()
    margin = 0.05 * (high - low) + 0.005
    limits = (low - margin, high + margin)
    return {
        scheme: draw(2.2, partial(_val_auc, curves=curves, colour=COLOURS[number % len(COLOURS)], limits=limits))
        for number, (scheme, curves) in enumerate(schemes.items())
    }


def _val_auc(axes: Axes, *, curves: Curves, colour: str, limits: tuple[float, float]) -> None:
    for curve in curves.values():
        kept = curve.iloc[int(curve["val_auc"].argmax())]
        axes.plot(curve["step"], curve["val_auc"], color=colour, linewidth=0.9, alpha=0.45)
        axes.plot(kept["step"], kept["val_auc"], "o", color=colour, markersize=4)
    mean = pd.concat(curves.values()).groupby("step")["val_auc"].mean()
    axes.plot(mean.index, mean, color=colour, linewidth=2.2)
    axes.set(xlabel="optimizer step", ylabel="val AUC", ylim=limits, xlim=(0, None))


def extractor_figure(validation: Mapping[str, Any]) -> str:
    """KID against the strength of each damage, over the level between two halves of the real images.

    Args:
        validation: the content of reports/features.json.
    """
    level = max(validation["halves"]["kid"], 0) + 2 * validation["halves"]["kid_std"]
    floor = level / 3  # a logarithm has no zero, and KID can be negative

    def paint(axes: Axes) -> None:
        axes.axhspan(floor, level, color=GRAY, alpha=0.25, linewidth=0, label="halves of the real images")
        for (name, steps), colour in zip(validation["damages"].items(), COLOURS, strict=False):
            kid = np.maximum([step["kid"] for step in steps], floor)
            axes.plot(range(1, len(kid) + 1), kid, "o-", color=colour, label=name.replace("_", " "), markersize=4)
        axes.set(xlabel="strength of the damage, step", ylabel="KID", yscale="log", ylim=(floor, None))
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        legend_above(axes, 2)

    return draw(3.2, paint)
