"""The pairs that judge, and the masks that a training found in them."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.errors import InputError
from pipeline.images import ARRAY, open_images
from pipeline.metrics.segmentation import SLICE_SCORES, Masks, Scores, patient_dice
from pipeline.store import read_csv
from segmentation.packed import SPLITS, pairs_of, read_splits

PREDICTIONS = Path("data/segmentation/predictions")


class HeldOut(NamedTuple):
    """The pairs of val or test, in the order of their rows."""

    split: str
    rows: pd.DataFrame  # image_id, row, patient_id, group_id
    masks: Masks  # (N, H, W)

    @property
    def patients(self) -> pd.DataFrame:
        """A row for each, by name: patient_id, group_id."""
        return self.rows.drop_duplicates("patient_id").sort_values("patient_id")[["patient_id", "group_id"]]

    @property
    def patient(self) -> NDArray[np.int64]:
        """(N,), the place of each pair's patient in ``patients``."""
        return np.unique(self.rows["patient_id"].to_numpy(), return_inverse=True)[1]


def read_held_out(split: str) -> HeldOut:
    pairs, rows = pairs_of(read_splits(), split)
    return HeldOut(split, rows.reset_index(drop=True), pairs.masks > 0)


def found_masks(folder: Path, held_out: HeldOut) -> Masks:
    """What one training found in these pairs, (N, H, W). Raises InputError if it was about other pairs."""
    rows = read_csv(folder / "rows.csv", keep_default_na=False)
    chosen = (rows["split"] == held_out.split).to_numpy()
    if list(rows.loc[chosen, "image_id"]) != list(held_out.rows["image_id"]):
        raise InputError(f"{folder} is not about the {held_out.split} pairs of {SPLITS}; train that segmenter again")
    bits = open_images(folder, ARRAY)[chosen]
    return np.unpackbits(bits, axis=2, count=held_out.masks.shape[2]).astype(bool)


class SeedScores(NamedTuple):
    """What one training scored."""

    patient: Scores  # Dice of each patient, (P,)
    slices: pd.DataFrame  # a row per pair: image_id, patient_id and SLICE_SCORES


def scored(folder: Path, held_out: HeldOut) -> SeedScores:
    found = found_masks(folder, held_out)
    slices = held_out.rows[["image_id", "patient_id"]].assign(
        **{name: score(found, held_out.masks) for name, score in SLICE_SCORES.items()}
    )
    return SeedScores(patient_dice(found, held_out.masks, held_out.patient), slices)
