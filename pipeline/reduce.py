"""Stage reduce: all metadata in; the dermoscopic images with a label, at most ``reduce.size`` of them, out."""

from pathlib import Path
from typing import Any, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import Field

from pipeline.errors import InputError
from pipeline.params.classes import TARGETS
from pipeline.params.gan import ConditionColumn
from pipeline.params.reader import StageParams, read_params
from pipeline.params.reduce import ReduceParams
from pipeline.seeding import derive_seed
from pipeline.stage import run_stage
from pipeline.store import read_csv, write_csv, write_json
from pipeline.usable import drop_reasons

METADATA = Path("data/metadata.csv")
REDUCED = Path("data/reduced.csv")
CONDITIONS = Path("data/conditions.csv")  # apart, so that another licence, say, trains no generator again
REPORT = Path("reports/reduce.json")

CELL = ["target", "source"]  # within which the choice is made, so that none depends on another's rows


class Params(StageParams):
    reduce: ReduceParams = Field(alias="reduce")
    seed: int = Field(alias="seed")


def main() -> None:
    params = read_params(Params)
    metadata = read_csv(METADATA, dtype=str, keep_default_na=False)
    reduced, report = reduce(metadata, params.reduce, params.seed)
    write_csv(REDUCED, reduced)
    write_csv(CONDITIONS, reduced[["image_id", *get_args(ConditionColumn)]])
    write_json(REPORT, report)
    print(f"kept {report['kept']} of {report['rows']} rows, {report['malignant']} of them malignant")


def reduce(metadata: pd.DataFrame, params: ReduceParams, seed: int) -> tuple[pd.DataFrame, dict[str, Any]]:
    """The subset that the experiment runs on; the same for any order of the rows.

    Args:
        metadata: data/metadata.csv, all text.

    Returns: the chosen rows, sorted by image id; the content of reports/reduce.json.

    Raises:
        InputError: if a class is left without an image.
    """
    reasons = drop_reasons(metadata)
    usable = metadata[reasons == ""].sort_values("image_id", ignore_index=True)
    check_classes(usable, f"none of the {len(metadata)} rows in {METADATA} is usable and {{label}}; give more images")
    chosen = usable[chosen_rows(usable, params, seed)].reset_index(drop=True)
    check_classes(chosen, f"reduce.size {params.size} leaves no {{label}} image of {len(usable)} usable ones; raise it")
    return chosen, summary(metadata, reasons, usable, chosen)


def check_classes(images: pd.DataFrame, complaint: str) -> None:
    """Refuses images without one of the classes. Raises InputError: the complaint, with the class for ``{label}``."""
    for label, target in TARGETS.items():
        if not (images["target"] == str(target)).any():
            raise InputError(complaint.format(label=label))


def chosen_rows(usable: pd.DataFrame, params: ReduceParams, seed: int) -> NDArray[np.bool_]:
    """Which rows to keep: the most diverse of each cell, as many as its quota.

    Rows added to one cell leave the order of every other as it was, so a choice elsewhere changes by its quota only.
    """
    quotas = cell_quotas(usable.groupby(CELL).size(), params)
    return diversity_rank(usable, seed) < quotas.reindex(pd.MultiIndex.from_frame(usable[CELL])).to_numpy()


def cell_quotas(available: pd.Series, params: ReduceParams) -> pd.Series:
    """Images to keep of each cell: first shared out among the classes, then within a class among its sources.

    Args:
        available: images by (target, source).
    """
    by_class = available.groupby(level="target")
    quotas = class_quotas(by_class.sum(), params)
    return pd.concat([largest_remainder(cells, int(quotas[target])) for target, cells in by_class])


def class_quotas(available: pd.Series, params: ReduceParams) -> pd.Series:
    """Images to keep of each class.

    ``balanced`` keeps as many of each, so fewer than ``reduce.size`` where the smaller class runs out.
    """
    if params.balance == "balanced":
        each = min(params.size // len(available), int(available.min()))
        return pd.Series(each, index=available.index)
    return largest_remainder(available, min(params.size, int(available.sum())))


def largest_remainder(available: pd.Series, total: int) -> pd.Series:
    """Shares out ``total`` in proportion to ``available``; what rounding leaves goes to the largest fractions.

    Args:
        total: at most the sum of ``available``.

    Returns: counts that sum to ``total``, none above what is available; ties go to the first. A larger total lowers no
        count by more than one.
    """
    parts = available * total  # of the sum, so that everything stays in whole numbers
    counts, remainders = parts // available.sum(), parts % available.sum()
    largest = remainders.sort_values(ascending=False, kind="stable").index[: total - int(counts.sum())]
    counts.loc[largest] += 1
    return counts


def diversity_rank(usable: pd.DataFrame, seed: int) -> NDArray[np.int64]:
    """The place of each row in its cell: every lesion once, and of different patients, before any lesion twice.

    Otherwise random under ``seed``, for each image on its own. A lesion in two cells is counted anew in each.

    Returns: (N,), from 0 in each cell.
    """
    rows = usable[CELL].assign(key=[derive_seed(seed, "reduce", image_id) for image_id in usable["image_id"].tolist()])
    rows["lesion"] = usable["lesion_id"].where(usable["lesion_id"] != "", "image " + usable["image_id"])
    rows["patient"] = usable["patient_id"].where(usable["patient_id"] != "", "lesion " + rows["lesion"])
    rows["of_lesion"] = rows.sort_values("key").groupby([*CELL, "lesion"]).cumcount()
    rows["of_patient"] = rows.sort_values(["of_lesion", "key"]).groupby([*CELL, "patient"]).cumcount()
    place = rows.sort_values(["of_lesion", "of_patient", "key"]).groupby(CELL).cumcount()
    return np.asarray(place.sort_index(), dtype=np.int64)


def summary(metadata: pd.DataFrame, reasons: pd.Series, usable: pd.DataFrame, chosen: pd.DataFrame) -> dict[str, Any]:
    """Counts for the report; rows = dropped + not chosen + kept."""
    dropped = reasons[reasons != ""].value_counts()
    return {
        "rows": len(metadata),
        "dropped": {str(reason): int(count) for reason, count in dropped.items()},
        "usable": len(usable),
        "usable_malignant": int((usable["label"] == "malignant").sum()),
        "not_chosen": len(usable) - len(chosen),
        "kept": len(chosen),
        "malignant": int((chosen["label"] == "malignant").sum()),
        "patients": int(chosen.loc[chosen["patient_id"] != "", "patient_id"].nunique()),
        "lesions": int(chosen.loc[chosen["lesion_id"] != "", "lesion_id"].nunique()),
        "by_source": {str(source): int(count) for source, count in chosen["source"].value_counts().items()},
    }


if __name__ == "__main__":
    run_stage(main)
