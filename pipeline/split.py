"""Stage split: the packed images' metadata in; train, val and test, with no patient, lesion or picture in two, out."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import Field

from pipeline.assignment import NAMES, group_splits, held_out_level, open_splits
from pipeline.duplicates import duplicate_pairs
from pipeline.errors import InputError
from pipeline.grouping import group_ids
from pipeline.images import THUMBNAILS, open_images
from pipeline.params.classes import TARGETS
from pipeline.params.reader import StageParams, read_params
from pipeline.params.split import SplitParams
from pipeline.stage import run_stage
from pipeline.store import read_csv, write_csv, write_json

REDUCED = Path("data/reduced.csv")
IMAGES = Path("data/images")
MANIFEST = IMAGES / "manifest.csv"
SPLITS = Path("data/splits.csv")
REPORT = Path("reports/split.json")
DUPLICATES = Path("data/duplicates.csv")
MOVED = Path("data/moved.csv")
SPLITS_COLUMNS = ["image_id", "row", "target", "split", "group_id"]


class Params(StageParams):
    split: SplitParams = Field(alias="split")
    seed: int = Field(alias="seed")


def main() -> None:
    params = read_params(Params)
    reduced = read_csv(REDUCED, dtype=str, keep_default_na=False)
    manifest = read_csv(MANIFEST, dtype=str, keep_default_na=False)
    images = packed_metadata(reduced, manifest)
    grouped, duplicates = group(images, open_images(IMAGES, THUMBNAILS), params.split)
    splits = split(grouped, params.split, params.seed)
    moved = moved_images(splits)
    report = summary(splits, duplicates, moved)
    write_csv(SPLITS, splits[SPLITS_COLUMNS])
    write_csv(DUPLICATES, duplicates)
    write_csv(MOVED, moved)
    write_json(REPORT, report)
    print("; ".join(f"{name}: {report[name]['images']} ({report[name]['malignant']} malignant)" for name in NAMES))


def packed_metadata(reduced: pd.DataFrame, manifest: pd.DataFrame) -> pd.DataFrame:
    """What is known of the packed images, one row each.

    Raises:
        InputError: if the packed images are those of another reduced.csv.
    """
    strangers = set(manifest["image_id"]) - set(reduced["image_id"])
    if strangers:
        raise InputError(f"{MANIFEST} has {min(strangers)}, which {REDUCED} does not; run `dvc repro prepare` first")
    columns = ["image_id", "target", "patient_id", "lesion_id", "source", "official_split"]
    images = manifest[["row", "image_id", "sha256", "phash"]].merge(reduced[columns], on="image_id")
    return images.astype({"row": int, "target": int})


def group(
    images: pd.DataFrame, thumbnails: NDArray[np.uint8], params: SplitParams
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Finds what must stay together; the same for any order of the rows.

    Args:
        images: as from ``packed_metadata``, rows 0..N-1.
        thumbnails: (N, H, W), by row.

    Returns: the images by row, with their ``group_id``; the content of data/duplicates.csv.
    """
    images = images.sort_values("row", ignore_index=True)
    duplicates = duplicate_pairs(images, thumbnails, params)
    pairs = duplicates[["first_row", "second_row"]].to_numpy()
    keys = [images["patient_id"], images["lesion_id"], images["sha256"]]
    return images.assign(group_id=group_ids(images["image_id"], keys, pairs)), duplicates


def split(grouped: pd.DataFrame, params: SplitParams, seed: int) -> pd.DataFrame:
    """Assigns whole groups to splits.

    Args:
        grouped: as from ``group``.

    Returns: the same with the column ``split``; ``official_split`` is empty where it was not asked for.

    Raises:
        InputError: if a class does not reach every split.
    """
    if not params.official:
        grouped = grouped.assign(official_split="")
    splits = grouped.assign(split=grouped["group_id"].map(group_splits(grouped, params, seed)))
    check_classes(splits, params)
    return splits


def check_classes(splits: pd.DataFrame, params: SplitParams) -> None:
    """Refuses a split without both classes. Raises InputError."""
    for label, target in TARGETS.items():
        of_class = splits[splits["target"] == target]
        for name in NAMES:
            if not (of_class["split"] == name).any():
                remedy = "set split.official to false" if params.official else f"raise split.{name}"
                raise InputError(
                    f"no {label} image falls in split {name}: {len(of_class)} {label} images in "
                    f"{of_class['group_id'].nunique()} groups of patient, lesion or picture are too few for "
                    f"split.{name} {getattr(params, name):g}; give more images or {remedy}"
                )


def moved_images(splits: pd.DataFrame) -> pd.DataFrame:
    """The images that are not where the official split has them, as their group is elsewhere: data/moved.csv."""
    levels = held_out_level(splits["official_split"])
    allowed = open_splits(levels)[np.arange(len(splits)), held_out_level(splits["split"])]
    away = splits[~allowed]
    return away[["image_id", "official_split", "split", "group_id"]].set_axis(
        ["image_id", "from", "to", "group_id"], axis=1
    )


def summary(splits: pd.DataFrame, duplicates: pd.DataFrame, moved: pd.DataFrame) -> dict[str, Any]:
    """Counts for the report."""
    unlike = duplicates["first_target"] != duplicates["second_target"]
    source = splits.set_index("image_id")["source"]
    abroad = source[duplicates["first"]].to_numpy() != source[duplicates["second"]].to_numpy()
    counts: dict[str, Any] = {
        "groups": int(splits["group_id"].nunique()),
        "largest_group": int(splits["group_id"].value_counts().max()),
        "pairs": {
            "file": int((duplicates["kind"] == "file").sum()),
            "look": int((duplicates["kind"] == "look").sum()),
            "different_labels": int(unlike.sum()),
            "across_sources": int(abroad.sum()),
        },
        "moved": {f"{first} to {second}": len(rows) for (first, second), rows in moved.groupby(["from", "to"])},
        "by_source": {
            str(source): {name: int((rows["split"] == name).sum()) for name in NAMES}
            for source, rows in splits.groupby("source")
        },
    }
    for name, rows in splits.groupby("split"):
        counts[str(name)] = {
            "images": len(rows),
            "malignant": int(rows["target"].sum()),
            "groups": int(rows["group_id"].nunique()),
        }
    return counts


if __name__ == "__main__":
    run_stage(main)
