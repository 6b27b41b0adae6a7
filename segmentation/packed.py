"""The packed pairs, split by split."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.images import MASKS, open_images
from pipeline.store import read_csv

IMAGES = Path("data/segmentation/images")
SPLITS = Path("data/segmentation/splits.csv")
TEXT = {"image_id": str, "patient_id": str, "group_id": str}


class Pairs(NamedTuple):
    """Packed pairs: (N, H, W, C) and (N, H, W) uint8, masks 0 or 255."""

    images: NDArray[np.uint8]
    masks: NDArray[np.uint8]


def read_splits() -> pd.DataFrame:
    """A row for every packed pair; ``patient`` numbers the patients."""
    splits = read_csv(SPLITS, dtype=TEXT, keep_default_na=False)
    return splits.assign(patient=pd.factorize(splits["patient_id"])[0])


def pairs_of(splits: pd.DataFrame, *names: str) -> tuple[Pairs, pd.DataFrame]:
    """The pairs of the named splits and their rows, in the order of the rows."""
    chosen = splits[splits["split"].isin(names)].sort_values("row")
    rows = chosen["row"].to_numpy()
    return Pairs(open_images(IMAGES)[rows], open_images(IMAGES, MASKS)[rows]), chosen
