"""Stage split: the packed pairs in; train, val and test, with no patient and no picture in two, out."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import Field

from pipeline.assignment import NAMES, group_splits
from pipeline.duplicates import duplicate_pairs
from pipeline.errors import InputError
from pipeline.grouping import group_ids
from pipeline.images import THUMBNAILS, open_images
from pipeline.params.reader import StageParams, read_params
from pipeline.params.split import GroupedSplitParams
from pipeline.stage import run_stage
from pipeline.store import read_csv, write_csv, write_json
from segmentation.params import PARAMS

IMAGES = Path("data/segmentation/images")
SPLITS = Path("data/segmentation/splits.csv")
REPORT = Path("reports/segmentation/split.json")
SPLITS_COLUMNS = ["image_id", "row", "split", "patient_id", "group_id", "mask_share"]
LEAST = 2  # groups of a split: of fewer there is no error to be told


class Params(StageParams):
    split: GroupedSplitParams = Field(alias="split")
    seed: int = Field(alias="seed")


def main() -> None:
    params = read_params(Params, PARAMS)
    text = {"image_id": str, "patient_id": str, "sha256": str}
    manifest = read_csv(IMAGES / "manifest.csv", dtype=text, keep_default_na=False)
    splits = split(manifest, open_images(IMAGES, THUMBNAILS), params.split, params.seed)
    write_csv(SPLITS, splits[SPLITS_COLUMNS])
    report = summary(splits)
    write_json(REPORT, report)
    print("; ".join(f"{name}: {report[name]['pairs']} of {report[name]['patients']} patients" for name in NAMES))


def split(manifest: pd.DataFrame, thumbnails: NDArray[np.uint8], params: GroupedSplitParams, seed: int) -> pd.DataFrame:
    """Assigns groups of patients and pictures to splits as the main graph does; empty masks take the place of a class.

    Args:
        manifest: of the packed pairs, by row.
        thumbnails: (N, H, W), by row.

    Returns: the manifest with ``group_id`` and ``split``.

    Raises:
        InputError: if a split has fewer than ``LEAST`` groups.
    """
    images = manifest.assign(target=(manifest["mask_share"] > 0).astype(int), source="", official_split="")
    pairs = duplicate_pairs(images, thumbnails, params)[["first_row", "second_row"]].to_numpy()
    images["group_id"] = group_ids(images["image_id"], [images["patient_id"], images["sha256"]], pairs)
    splits = images.assign(split=images["group_id"].map(group_splits(images, params, seed)))
    for name in NAMES:
        groups = splits.loc[splits["split"] == name, "group_id"].nunique()
        if groups < LEAST:
            raise InputError(
                f"split {name} has {groups} groups of patients and alike pictures of {splits['group_id'].nunique()} in "
                f"all, and needs {LEAST}; give more images or raise split.{name}"
            )
    return splits


def summary(splits: pd.DataFrame) -> dict[str, Any]:
    """Counts of each split."""
    return {
        str(name): {
            "pairs": len(rows),
            "patients": int(rows["patient_id"].nunique()),
            "groups": int(rows["group_id"].nunique()),
            "empty_masks": int((rows["mask_share"] == 0).sum()),
        }
        for name, rows in splits.groupby("split")
    }


if __name__ == "__main__":
    run_stage(main)
