"""Stage evaluate: the masks that were found in val and test, and the true ones, in; scores with intervals out."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import Field

from pipeline.metrics.auc_inference import Estimate, mean_over_cases
from pipeline.metrics.segmentation import SLICE_SCORES
from pipeline.params.reader import StageParams, read_params
from pipeline.seeding import generator_seed
from pipeline.stage import run_stage
from pipeline.store import read_json, replaced_directory, write_csv, write_json
from segmentation.held_out import PREDICTIONS, HeldOut, SeedScores, read_held_out, scored
from segmentation.params import PARAMS, EvaluateParams, SchemesParams
from segmentation.verdict import compare

CHECKPOINTS = Path("data/segmentation/checkpoints")
SCORES = Path("data/segmentation/scores.csv")
DICE = Path("reports/segmentation/dice")
MODELS = Path("reports/segmentation/models")
SCHEMES = Path("reports/segmentation/schemes")
MODEL_FACTS = ("parameters", "train_pairs", "optimizer_steps", "best_step")  # of each run's model.json
METRICS = ("val_dice", "test_dice", "test_dice_ci_low", "test_dice_ci_high", "test_hausdorff_95")  # dvc metrics shows
Report = dict[str, Any]


class Params(StageParams):
    architectures: dict[str, Any] = Field(alias="architectures")
    losses: list[str] = Field(alias="losses")
    seeds: list[int] = Field(alias="seeds")
    schemes: SchemesParams = Field(alias="schemes")
    generators: list[int] = Field(alias="translator.seeds")
    evaluate: EvaluateParams = Field(alias="evaluate")


def main() -> None:
    params = read_params(Params, PARAMS)
    val, test = read_held_out("val"), read_held_out("test")
    models, tables = {}, []
    for name in [f"{architecture}-{loss}" for architecture in params.architectures for loss in params.losses]:
        models[name], of_test = report_of(Path("models", name), params.seeds, (val, test), params.evaluate.confidence)
        tables += [each.slices.assign(model=name, seed=seed) for seed, each in zip(params.seeds, of_test, strict=True)]
    schemes = report_schemes(params, val, test)
    write_reports(DICE, models, METRICS)
    write_reports(MODELS, models)
    write_reports(SCHEMES, schemes)
    write_csv(SCORES, pd.concat(tables))
    for name, report in sorted(models.items(), key=lambda item: -item[1]["val_dice"]):
        print(f"{name}: Dice of val patients {report['val_dice']:.4f}, of test patients {report['test_dice']:.4f}")


def report_schemes(params: Params, val: HeldOut, test: HeldOut) -> dict[str, Report]:
    """Scores, gains and verdict of every scheme."""
    schemes, confidence = params.schemes, params.evaluate.confidence
    reports, values = {}, {}
    for name in [*schemes.real, *schemes.synthetic]:
        reports[name], of_test = report_of(Path("schemes", name), schemes.seeds, (val, test), confidence)
        values[name] = np.stack([seed.patient for seed in of_test])
    generator = np.array([generator_seed(seed, params.generators) for seed in schemes.seeds])
    compared = compare(values, list(schemes.synthetic), groups(test), generator, confidence)
    return {name: report | compared[name] for name, report in reports.items()}


def report_of(
    name: Path, seeds: list[int], splits: tuple[HeldOut, HeldOut], confidence: float
) -> tuple[Report, list[SeedScores]]:
    """What is reported of the trainings of one name, and the scores of each on the second split."""
    val, test = splits
    of_val, of_test = (score_seeds(name, seeds, held_out) for held_out in splits)
    report = dice_report("val", of_val, val, confidence) | dice_report("test", of_test, test, confidence)
    return report | slice_report(of_test) | facts(name, seeds) | {"seeds": seeds}, of_test


def score_seeds(name: Path, seeds: list[int], held_out: HeldOut) -> list[SeedScores]:
    return [scored(PREDICTIONS / name / str(seed), held_out) for seed in seeds]


def groups(held_out: HeldOut) -> NDArray[np.int64]:
    """(P,), which patients are not independent, as pictures of theirs look alike."""
    return np.unique(held_out.patients["group_id"].to_numpy(), return_inverse=True)[1]


def dice_report(split: str, seeds: list[SeedScores], held_out: HeldOut, confidence: float) -> Report:
    """Mean Dice of the patients with its interval, over seeds and patients."""
    values = np.stack([seed.patient for seed in seeds])
    dice = mean_over_cases(groups(held_out), values)
    per_seed = values.mean(axis=1)
    return {
        **interval(f"{split}_dice", dice, confidence),
        f"{split}_dice_per_seed": per_seed.tolist(),
        f"{split}_dice_std": float(np.std(per_seed, ddof=1)) if len(per_seed) > 1 else None,
        f"{split}_dice_of_patients": values.mean(axis=0).tolist(),
        f"{split}_patients": values.shape[1],
        f"{split}_pairs": len(held_out.rows),
        "intervals_carry_seed_error": dice.seed_error,
    }


def interval(key: str, estimate: Estimate, confidence: float) -> Report:
    """A score in [0, 1] with its interval, held to that range."""
    low, high = np.clip(estimate.interval(confidence), 0, 1)
    return {key: estimate.value, f"{key}_ci_low": float(low), f"{key}_ci_high": float(high)}


def slice_report(seeds: list[SeedScores]) -> Report:
    """Means over slices, then seeds; of the sensitivity, over slices whose mask is not empty; None if there is none."""
    means = {name: np.array([seed.slices[name].mean() for seed in seeds]) for name in SLICE_SCORES}
    printed = {name: None if np.isnan(of_seeds).any() else float(of_seeds.mean()) for name, of_seeds in means.items()}
    return {f"test_{'slice_dice' if name == 'dice' else name}": value for name, value in printed.items()}


def facts(name: Path, seeds: list[int]) -> dict[str, int]:
    """What the runs wrote of themselves, rounded means over seeds."""
    models = [read_json(CHECKPOINTS / name / str(seed) / "model.json") for seed in seeds]
    return {fact: round(np.mean([model[fact] for model in models])) for fact in MODEL_FACTS}


def write_reports(directory: Path, reports: Mapping[str, Report], keys: Iterable[str] | None = None) -> None:
    """A whole directory at once, so that what was dropped leaves nothing behind."""
    with replaced_directory(directory) as partial:
        for name, report in reports.items():
            write_json(partial / f"{name}.json", {key: report[key] for key in keys or report})


if __name__ == "__main__":
    run_stage(main)
