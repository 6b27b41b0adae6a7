"""The report's drawings: patients' scores, training curves, and outlines on a slice."""

import io
from collections.abc import Mapping
from typing import NamedTuple

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from pipeline.metrics.segmentation import Masks
from pipeline.reporting.figures import COLOURS, INK, draw, legend_above
from pipeline.reporting.pictures import data_uri

TRUE_COLOUR = "#ffffff"
PICTURE_INCHES, PICTURE_DPI = 2.4, 120  # 288 px
SPREAD = 0.28  # of a row's height, over which the dots of patients are spread


def patients_figure(patients: pd.DataFrame) -> str:
    """A dot for every test patient in a row for each model, and a line at their mean.

    Args:
        patients: model, dice; a row per patient and model, models in the order in which they are drawn.
    """
    models = list(patients["model"].unique())

    def paint(axes: Axes) -> None:
        for row, (model, colour) in enumerate(zip(models, colours(models).values(), strict=True)):
            dice = patients.loc[patients["model"] == model, "dice"].to_numpy()
            height = row + np.linspace(-SPREAD, SPREAD, len(dice))
            axes.plot(dice, height, "o", color=colour, markersize=3, alpha=0.6)
            axes.plot([dice.mean()] * 2, [row - 0.4, row + 0.4], color=INK, linewidth=1.6)
        axes.set(xlabel="Dice of a test patient", xlim=(None, 1.01), yticks=range(len(models)), yticklabels=models)
        axes.invert_yaxis()

    return draw(0.9 + 0.42 * len(models), paint)


def curves_figure(curves: Mapping[str, list[pd.DataFrame]]) -> str:
    """Mean Dice of the validation patients by step, a line for every seed of every model."""

    def paint(axes: Axes) -> None:
        for (model, of_seeds), colour in zip(curves.items(), colours(list(curves)).values(), strict=True):
            for number, curve in enumerate(of_seeds):
                axes.plot(curve["step"], curve["val_dice"], color=colour, linewidth=1.4, label="" if number else model)
        axes.set(xlabel="optimizer step", ylabel="Dice of the validation patients", xlim=(0, None))
        legend_above(axes, 2)

    return draw(2.9 + 0.18 * ((len(curves) + 1) // 2), paint)


class Case(NamedTuple):
    """A slice, and what was found in it."""

    image: NDArray[np.uint8]  # (H, W, C)
    true: Masks  # (H, W)
    found: dict[str, Masks]  # by model


def outlines_picture(case: Case) -> str:
    """The slice with the outline of its true mask, white, and of every model's, as PNG."""
    with matplotlib.rc_context({"lines.linewidth": 1.3}):
        figure = Figure(figsize=(PICTURE_INCHES, PICTURE_INCHES), dpi=PICTURE_DPI)
        axes = figure.add_axes((0, 0, 1, 1))
        axes.imshow(case.image.squeeze(), cmap="gray" if case.image.shape[2] == 1 else None)
        _outline(axes, case.true, TRUE_COLOUR, 2.4)
        for (_, mask), colour in zip(case.found.items(), colours(list(case.found)).values(), strict=True):
            _outline(axes, mask, colour, 1.3)
        axes.set_axis_off()
        buffer = io.BytesIO()
        figure.savefig(buffer, format="png", metadata={"Software": None})
    return data_uri("image/png", buffer.getvalue())


def _outline(axes: Axes, mask: Masks, colour: str, width: float) -> None:
    """Between the pixels of the mask and the others; a margin closes it where it meets the border."""
    if mask.any():
        padded = np.pad(mask.astype(float), 1)
        sides = [np.arange(-1, side + 1) for side in mask.shape[::-1]]
        axes.contour(*sides, padded, levels=[0.5], colors=[colour], linewidths=[width])


def colours(models: list[str]) -> dict[str, str]:
    """The same in every drawing."""
    return {model: COLOURS[number % len(COLOURS)] for number, model in enumerate(models)}
