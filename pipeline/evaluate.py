"""Stage evaluate: predictions, splits and run facts in; AUCs with intervals, verdicts and curves out."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from pipeline.errors import InputError
from pipeline.held_out import Split, read_splits
from pipeline.metrics.auc_inference import TestSet
from pipeline.metrics.ranking import threshold_youden
from pipeline.metrics.schemes import Columns, Run, compare, fall_from_val, mean_pr, mean_roc, pooled_calibration, score
from pipeline.params.reader import read_params
from pipeline.predictions import read_runs
from pipeline.schemes import SchemesParams as Params
from pipeline.stage import run_stage
from pipeline.store import read_json, replaced_directory, write_csv, write_json

CHECKPOINTS = Path("data/checkpoints/classifier")
AUC = Path("reports/auc")
CLASSIFIER = Path("reports/classifier")
ROC = Path("reports/plots/roc.csv")
PR = Path("reports/plots/pr.csv")
CALIBRATION = Path("reports/plots/calibration.csv")

METRICS = ("auc", "auc_ci_low", "auc_ci_high", "auc_gain", "auc_gain_over_placebo", "verdict")  # what dvc metrics shows
FACTS = ("train_images", "synthetic_images", "optimizer_steps")  # of each run's model.json


def main() -> None:
    params = read_params(Params)
    val, test = read_splits()
    runs = read_runs(params, val, test)
    bins = params.evaluate.calibration_bins
    confidence = params.evaluate.confidence
    val_set, test_set = (TestSet(split.target, split.group) for split in (val, test))
    reports = compare(runs, params.synthetic_schemes, test_set, confidence)
    for scheme, run in runs.items():
        reports[scheme] |= score(run, val.target, test.target, bins)
        reports[scheme] |= fall_from_val(run, val_set, test_set, confidence)
        models = read_models(scheme, params.seeds)
        reports[scheme] |= facts(models) | test_facts(test) | {"seeds": params.seeds}
        reports[scheme]["thresholds_from_val"] = all(
            model["threshold"] == threshold_youden(val.target, of_val)
            for model, of_val in zip(models, run.val, strict=True)
        )
        reports[scheme]["generators"] = 0 if run.generator is None else len(np.unique(run.generator))
    write_reports(reports)
    write_curves(ROC, runs, lambda run: mean_roc(test.target, run.test))
    write_curves(PR, runs, lambda run: mean_pr(test.target, run.test))
    write_curves(CALIBRATION, runs, lambda run: pooled_calibration(test.target, run.test, bins))


def read_models(scheme: str, seeds: list[int]) -> list[dict[str, Any]]:
    """What the runs of a scheme wrote of themselves."""
    return [_read_model(CHECKPOINTS / scheme / str(seed) / "model.json") for seed in seeds]


def facts(models: list[dict[str, Any]]) -> dict[str, int]:
    """What the runs were trained on, rounded means over seeds."""
    return {fact: round(np.mean([model[fact] for model in models])) for fact in FACTS}


def _read_model(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise InputError(f"{path} does not exist; run the stage that writes it, or `dvc repro`")
    model = read_json(path)
    missing = [fact for fact in (*FACTS, "threshold") if fact not in model]
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
