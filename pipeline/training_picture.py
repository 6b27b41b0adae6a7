"""What a training looks like while it goes on: its curves above the images drawn at the last look."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from numpy.typing import NDArray

from pipeline.images import contact_sheet
from pipeline.store import replaced_file

PANELS = {  # title: what the names of its columns hold; a panel without columns is left out
    "losses": "_loss_",
    "mean logits": "_logits",
    "gradient norms": "_gradient_norm",
    "KID to validation images": "val_kid",
}
COLUMNS, ROWS = 12, 4


def write_training_picture(path: Path, curve: Sequence[Mapping[str, float]], images: NDArray[np.uint8]) -> None:
    """Writes a PNG over the last one.

    Args:
        curve: a row per log, each with ``kimg``.
        images: (N, H, W, C) in [0, 255].
    """
    table = pd.DataFrame(curve)
    figure = Figure(figsize=(12, 7), layout="constrained")
    panels, sheet = figure.subfigures(2, 1, squeeze=False, height_ratios=(3, 4))[:, 0]
    drawn = {title: [name for name in map(str, table) if part in name] for title, part in PANELS.items()}
    drawn = {title: names for title, names in drawn.items() if names}
    for axes, (title, names) in zip(panels.subplots(1, len(drawn), squeeze=False)[0], drawn.items(), strict=True):
        for name in names:
            rows = table.dropna(subset=name)
            axes.plot(rows["kimg"], rows[name], label=name.strip("_").replace("_", " "), marker=".")
        axes.set(title=title, xlabel="kimg")
        axes.legend(fontsize="small")
    shown = sheet.subplots()
    shown.imshow(np.asarray(contact_sheet(images, COLUMNS, ROWS)), cmap="gray")
    shown.set_axis_off()
    with replaced_file(path) as partial:
        figure.savefig(partial, format="png")
