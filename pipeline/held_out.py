"""The images that judge: those of the val and of the test split."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from pipeline.errors import InputError
from pipeline.metrics.ranking import Target
from pipeline.store import read_csv

SPLITS = Path("data/splits.csv")


@dataclass(frozen=True)
class Split:
    """The images of a split in the order of their ids; ``target`` and ``group`` are (N,)."""

    name: str
    image_ids: list[str]
    target: Target
    group: Target


def read_splits() -> tuple[Split, Split]:
    """The val and the test split. Raises InputError unless each has both classes."""
    table = read_csv(SPLITS)
    return _split(table, "val"), _split(table, "test")


def _split(table: pd.DataFrame, name: str) -> Split:
    rows = table[table["split"] == name].sort_values("image_id")
    target = rows["target"].to_numpy(dtype=np.int64)
    for value, kind in ((0, "benign"), (1, "malignant")):
        if not np.any(target == value):
            raise InputError(f"{SPLITS} has no {kind} image in split {name}; give more images or raise split.{name}")
    return Split(name, list(rows["image_id"]), target, pd.factorize(rows["group_id"])[0].astype(np.int64))
