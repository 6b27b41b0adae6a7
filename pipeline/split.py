"""Stage split: the packed images' metadata in; train, val and test, with no patient, lesion or file in two, out."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import Field

from pipeline.errors import InputError
from pipeline.grouping import group_ids
from pipeline.params.classes import TARGETS
from pipeline.params.reader import StageParams, read_params
from pipeline.params.split import SplitParams
from pipeline.seeding import derive_seed
from pipeline.stage import run_stage
from pipeline.store import read_csv, write_csv, write_json

REDUCED = Path("data/reduced.csv")
MANIFEST = Path("data/images/manifest.csv")
SPLITS = Path("data/splits.csv")
REPORT = Path("reports/split.json")

NAMES = ("train", "val", "test")


class Params(StageParams):
    split: SplitParams = Field(alias="split")
    seed: int = Field(alias="seed")


def main() -> None:
    params = read_params(Params)
    reduced = read_csv(REDUCED, dtype=str, keep_default_na=False)
    manifest = read_csv(MANIFEST, dtype=str, keep_default_na=False)
    splits, report = split(packed_metadata(reduced, manifest), params.split, params.seed)
    write_csv(SPLITS, splits)
    write_json(REPORT, report)
    print("; ".join(f"{name}: {report[name]['images']} ({report[name]['malignant']} malignant)" for name in NAMES))


def packed_metadata(reduced: pd.DataFrame, manifest: pd.DataFrame) -> pd.DataFrame:
    """Image id, row, target, patient, lesion and hash of the packed images, by row.

    Raises:
        InputError: if the packed images are those of another reduced.csv.
    """
    strangers = set(manifest["image_id"]) - set(reduced["image_id"])
    if strangers:
        raise InputError(f"{MANIFEST} has {min(strangers)}, which {REDUCED} does not; run `dvc repro prepare` first")
    columns = ["image_id", "target", "patient_id", "lesion_id"]
    images = manifest[["row", "image_id", "sha256"]].merge(reduced[columns], on="image_id")
    return images.astype({"row": int, "target": int}).sort_values("row", ignore_index=True)


def split(images: pd.DataFrame, params: SplitParams, seed: int) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Assigns whole groups to splits; the same for any order of the rows.

    Args:
        images: image_id, row, target (0 or 1), patient_id, lesion_id, sha256.

    Returns: the content of data/splits.csv and of reports/split.json.

    Raises:
        InputError: if a class does not reach every split.
    """
    keys = [images["patient_id"], images["lesion_id"], images["sha256"]]
    grouped = images.assign(group_id=group_ids(images["image_id"], keys))
    sizes = pd.crosstab(grouped["group_id"], grouped["target"]).reindex(columns=list(TARGETS.values()), fill_value=0)
    ties = np.array([derive_seed(seed, "split", group) for group in sizes.index])
    order = np.lexsort((ties, -sizes.sum(axis=1).to_numpy()))
    shares = np.array([params.train, params.val, params.test])
    chosen = np.empty(len(sizes), dtype=np.int64)
    chosen[order] = assign(sizes.to_numpy()[order], shares)
    names = dict(zip(sizes.index, np.array(NAMES)[chosen], strict=True))
    splits = grouped.assign(split=grouped["group_id"].map(names)).sort_values("row", ignore_index=True)
    check_classes(splits, params)
    return splits[["image_id", "row", "target", "split", "group_id"]], summary(splits)


def assign(groups: NDArray[np.int64], shares: NDArray[np.float64]) -> NDArray[np.int64]:
    """Gives each group in turn to the split that it brings nearest to its share of every class.

    What is kept small is the sum over classes and splits of (share reached - share wanted)^2 / share wanted, a share
    being one of the class's images. Dividing makes the large groups, which come first, go to every split in proportion;
    without it the smallest split would get none.

    Args:
        groups: (G, K), images of each class in each group, in the order of assignment.
        shares: (S,), the wanted shares, sum 1.

    Returns: (G,), the index of each group's split.
    """
    totals = np.maximum(groups.sum(axis=0), 1)
    excess = -np.repeat(shares[:, None], len(totals), axis=1)  # (S, K), share reached - share wanted
    chosen = np.empty(len(groups), dtype=np.int64)
    for index, fraction in enumerate(groups / totals):
        growth = (fraction * (2 * excess + fraction)).sum(axis=1) / shares
        chosen[index] = growth.argmin()
        excess[chosen[index]] += fraction
    return chosen


def check_classes(splits: pd.DataFrame, params: SplitParams) -> None:
    """Refuses a split without both classes. Raises InputError."""
    for label, target in TARGETS.items():
        of_class = splits[splits["target"] == target]
        for name in NAMES:
            if not (of_class["split"] == name).any():
                raise InputError(
                    f"no {label} image falls in split {name}: {len(of_class)} {label} images in "
                    f"{of_class['group_id'].nunique()} groups of patient, lesion or file are too few for "
                    f"split.{name} {getattr(params, name):g}; give more images or raise split.{name}"
                )


def summary(splits: pd.DataFrame) -> dict[str, Any]:
    """Counts for the report, with the pairs of identical files and those of them whose labels differ."""
    copies = splits.groupby("sha256")["target"].agg(["size", "sum"])
    malignant, benign = copies["sum"], copies["size"] - copies["sum"]
    counts: dict[str, Any] = {
        "groups": int(splits["group_id"].nunique()),
        "largest_group": int(splits["group_id"].value_counts().max()),
        "duplicate_pairs": int((copies["size"] * (copies["size"] - 1) // 2).sum()),
        "duplicate_pairs_with_different_labels": int((malignant * benign).sum()),
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
