"""Stage evaluate: predictions, splits and run facts in; AUCs with intervals, verdicts and curves out."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from pydantic import Field

from pipeline.errors import InputError
from pipeline.metrics.auc_inference import TestSet
from pipeline.metrics.ranking import Score, Target
from pipeline.metrics.schemes import Columns, Run, compare, mean_pr, mean_roc, pooled_calibration, score
from pipeline.params.classifier import GanScheme, RealScheme
from pipeline.params.evaluate import EvaluateParams
from pipeline.params.reader import StageParams, read_params
from pipeline.stage import run_stage
from pipeline.store import read_csv, read_json, replaced_directory, write_csv, write_json

SPLITS = Path("data/splits.csv")
PREDICTIONS = Path("data/predictions")
CHECKPOINTS = Path("data/checkpoints/classifier")
AUC = Path("reports/auc")
CLASSIFIER = Path("reports/classifier")
ROC = Path("reports/plots/roc.csv")
PR = Path("reports/plots/pr.csv")
CALIBRATION = Path("reports/plots/calibration.csv")

METRICS = ("auc", "auc_ci_low", "auc_ci_high", "auc_gain", "auc_gain_over_placebo", "verdict")  # what dvc metrics shows
FACTS = ("train_images", "synthetic_images", "optimizer_steps")  # of each run's model.json


class Params(StageParams):
    seeds: list[int] = Field(alias="classifier.seeds")
    real_schemes: dict[str, RealScheme] = Field(alias="classifier.real_schemes")
    gan_schemes: dict[str, GanScheme] = Field(alias="classifier.gan_schemes")
    evaluate: EvaluateParams = Field(alias="evaluate")


@dataclass(frozen=True)
class Split:
    """The images of a split in the order of their ids; ``target`` and ``group`` are (N,)."""

    name: str
    image_ids: list[str]
    target: Target
    group: Target


def main() -> None:
    params = read_params(Params)
    val, test = read_splits()
    schemes = [*params.real_schemes, *params.gan_schemes]
    runs = {scheme: read_run(scheme, params.seeds, val, test) for scheme in schemes}
    bins = params.evaluate.calibration_bins
    reports = compare(runs, list(params.gan_schemes), TestSet(test.target, test.group), params.evaluate.confidence)
    for scheme, run in runs.items():
        reports[scheme] |= score(run, val.target, test.target, bins)
        reports[scheme] |= read_facts(scheme, params.seeds) | test_facts(test) | {"seeds": params.seeds}
    write_reports(reports)
    write_curves(ROC, runs, lambda run: mean_roc(test.target, run.test))
    write_curves(PR, runs, lambda run: mean_pr(test.target, run.test))
    write_curves(CALIBRATION, runs, lambda run: pooled_calibration(test.target, run.test, bins))


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


def read_run(scheme: str, seeds: list[int], val: Split, test: Split) -> Run:
    """The predictions of all seeds. Raises InputError where they are not about these splits."""
    val_scores, test_scores = [], []
    for seed in seeds:
        path = PREDICTIONS / scheme / f"{seed}.csv"
        table = read_csv(path)
        missing = {"image_id", "split", "target", "probability"} - set(table.columns)
        if missing:
            raise InputError(f"{path} lacks the column {', '.join(sorted(missing))}; train that scheme again")
        val_scores.append(_probabilities(table, val, path))
        test_scores.append(_probabilities(table, test, path))
    return Run(np.stack(val_scores), np.stack(test_scores))


def _probabilities(table: pd.DataFrame, split: Split, path: Path) -> Score:
    """(N,) in the order of the split's images."""
    rows = table[table["split"] == split.name].sort_values("image_id")
    if list(rows["image_id"]) != split.image_ids:
        raise InputError(_mismatch(list(rows["image_id"]), split, path))
    if np.any(rows["target"].to_numpy() != split.target):
        raise InputError(f"{path} has other {split.name} labels than {SPLITS}; train that scheme again")
    probability = rows["probability"].to_numpy(dtype=np.float64)
    if not np.all((probability >= 0) & (probability <= 1)):
        raise InputError(f"{path} has a probability that is missing or outside [0, 1]; train that scheme again")
    return probability


def _mismatch(image_ids: list[str], split: Split, path: Path) -> str:
    odd = set(image_ids) ^ set(split.image_ids) or {name for name in image_ids if image_ids.count(name) > 1}
    return (
        f"{path} has {len(image_ids)} {split.name} images, {SPLITS} has {len(split.image_ids)}, and they differ,"
        f" first in {min(odd)}; train that scheme again"
    )


def read_facts(scheme: str, seeds: list[int]) -> dict[str, int]:
    """What the runs were trained on, rounded means over seeds."""
    models = [_read_model(CHECKPOINTS / scheme / str(seed) / "model.json") for seed in seeds]
    return {fact: round(np.mean([model[fact] for model in models])) for fact in FACTS}


def _read_model(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise InputError(f"{path} does not exist; run the stage that writes it, or `dvc repro`")
    model = read_json(path)
    missing = [fact for fact in FACTS if fact not in model]
    if missing:
        raise InputError(f"{path} lacks {', '.join(missing)}; train that scheme again")
    return model


def test_facts(test: Split) -> dict[str, int]:
    groups = len(np.unique(test.group))
    return {"test_images": len(test.target), "test_malignant": int(test.target.sum()), "test_groups": groups}


def write_reports(reports: Mapping[str, Mapping[str, Any]]) -> None:
    """Whole directories at once, so that a dropped scheme leaves nothing behind."""
    for directory, keys in ((AUC, METRICS), (CLASSIFIER, None)):
        with replaced_directory(directory) as partial:
            for scheme, report in reports.items():
                write_json(partial / f"{scheme}.json", {key: report[key] for key in keys or report})


def write_curves(path: Path, runs: Mapping[str, Run], curve: Callable[[Run], Columns]) -> None:
    write_csv(path, pd.concat([pd.DataFrame({"series": scheme, **curve(run)}) for scheme, run in runs.items()]))


if __name__ == "__main__":
    run_stage(main)
