"""Stage report: scores, found masks and curves in; one page that stands alone out."""

import platform
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from pydantic import Field

from pipeline.images import open_images
from pipeline.params.image import ImageParams
from pipeline.params.phantom import PhantomParams
from pipeline.params.reader import StageParams, read_params
from pipeline.params.split import GroupedSplitParams
from pipeline.reporting import text, times
from pipeline.reporting.pictures import data_uri
from pipeline.stage import LOG, run_stage
from pipeline.store import read_csv, read_json, write_text
from segmentation.figures import Case, colours, curves_figure, outlines_picture, patients_figure
from segmentation.held_out import PREDICTIONS, HeldOut, found_masks, read_held_out
from segmentation.packed import IMAGES
from segmentation.params import (
    PARAMS,
    EvaluateParams,
    SchemesParams,
    SourceParams,
    SynthesizeParams,
    TrainParams,
    TranslatorParams,
)
from segmentation.words import gain_cell, score_cell, verdict_sentence

CHECKPOINTS = Path("data/segmentation/checkpoints")
SCORES = Path("data/segmentation/scores.csv")
MODELS = Path("reports/segmentation/models")
SCHEMES = Path("reports/segmentation/schemes")
SAMPLES = Path("reports/segmentation/samples")
COUNTS = {
    "index": Path("reports/segmentation/index.json"),
    "prepare": Path("reports/segmentation/prepare.json"),
    "split": Path("reports/segmentation/split.json"),
}
REPORT = Path("reports/segmentation/report.html")
TIMES = LOG.with_name("segmentation_times.html")  # no output: the report is the same on every machine, a time is not
TEMPLATES = (Path(__file__).parent / "templates", Path(__file__).parent.parent / "pipeline/reporting/templates")

OUTLINED = 4  # models drawn on one slice: with more, lines hide each other
CASES = 4  # slices of a kind
PACKAGES = ("torch", "torchvision", "numpy", "scipy", "pandas", "dvc")


class Params(StageParams):
    seed: int = Field(alias="seed")
    phantom: PhantomParams = Field(alias="phantom")
    source: SourceParams = Field(alias="source")
    image: ImageParams = Field(alias="image")
    split: GroupedSplitParams = Field(alias="split")
    train: TrainParams = Field(alias="train")
    architectures: dict[str, Any] = Field(alias="architectures")
    losses: list[str] = Field(alias="losses")
    seeds: list[int] = Field(alias="seeds")
    augment: str = Field(alias="augment")
    translator: TranslatorParams = Field(alias="translator")
    synthesize: SynthesizeParams = Field(alias="synthesize")
    schemes: SchemesParams = Field(alias="schemes")
    evaluate: EvaluateParams = Field(alias="evaluate")
    precision: str = Field(alias="compute.precision")
    threads: int = Field(alias="compute.threads")


def main() -> None:
    params = read_params(Params, PARAMS)
    templates = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    templates.globals |= {
        "text": text,
        "duration": times.duration,
        "taken": times.taken,
        "gain": gain_cell,
        "score": score_cell,
    }
    write_text(REPORT, templates.get_template("segmentation.html").render(gather(params)))
    if taken := stage_seconds(params):
        write_text(TIMES, templates.get_template("times.html").render(times=taken, report=REPORT))


def gather(params: Params) -> dict[str, Any]:
    """Everything that the template prints; models in the order of their validation Dice."""
    names = [f"{architecture}-{loss}" for architecture in params.architectures for loss in params.losses]
    unsorted = {name: read_json(MODELS / f"{name}.json") for name in names}
    reports = dict(sorted(unsorted.items(), key=lambda item: (-item[1]["val_dice"], item[0])))
    scores = read_csv(SCORES, dtype={"image_id": str, "patient_id": str}, keep_default_na=False)
    outlined = list(reports)[:OUTLINED]
    schemes = {name: read_json(SCHEMES / f"{name}.json") for name in (*params.schemes.real, *params.schemes.synthetic)}
    return {
        "params": params,
        "confidence": f"{100 * params.evaluate.confidence:g} %",
        "reports": reports,
        "by_loss": by_loss(params, reports),
        "schemes": schemes,
        "verdict": verdict_sentence({name: schemes[name] for name in params.schemes.synthetic}),
        "samples": {seed: sample(SAMPLES / f"{seed}.png") for seed in params.translator.seeds},
        "patients": patients_figure(of_patients(reports)),
        "curves": curves_figure({name: curves(name, params.seeds) for name in reports}),
        "colours": {name: colours(list(reports))[name] for name in outlined},
        "cases": cases(scores, outlined, params.seeds[0]),
        "counts": {stage: read_json(path) for stage, path in COUNTS.items()},
        "settings": text.setting_rows(params.model_dump(by_alias=True)),
        "versions": {"python": platform.python_version()} | {name: version(name) for name in PACKAGES},
    }


def sample(path: Path) -> str:
    return data_uri("image/png", path.read_bytes())


def by_loss(params: Params, reports: dict[str, Any]) -> list[list[str]]:
    """Architecture by loss: mean Dice of the validation patients."""
    return [
        [architecture, *(text.number(reports[f"{architecture}-{loss}"]["val_dice"], 4) for loss in params.losses)]
        for architecture in params.architectures
    ]


def of_patients(reports: dict[str, Any]) -> pd.DataFrame:
    """Dice of every test patient, mean over seeds: model, dice."""
    rows = [(name, dice) for name, report in reports.items() for dice in report["test_dice_of_patients"]]
    return pd.DataFrame(rows, columns=["model", "dice"])


def curves(name: str, seeds: list[int]) -> list[pd.DataFrame]:
    return [read_csv(CHECKPOINTS / "models" / name / str(seed) / "curve.csv") for seed in seeds]


def cases(scores: pd.DataFrame, outlined: list[str], seed: int) -> dict[str, list[dict[str, Any]]]:
    """The best, median and worst test slices by the mean Dice of the outlined models, with their outlines."""
    chosen = scores[scores["model"].isin(outlined) & (scores["seed"] == seed)]
    dice = chosen.groupby("image_id")["dice"].mean()
    held_out = read_held_out("test")
    found = {name: found_masks(PREDICTIONS / "models" / name / str(seed), held_out) for name in outlined}
    return {
        kind: [case(str(image_id), value, held_out, found) for image_id, value in of_kind.items()]
        for kind, of_kind in best_median_worst(dice, held_out).items()
    }


def best_median_worst(dice: pd.Series, held_out: HeldOut) -> dict[str, pd.Series]:
    """The Dice of ``CASES`` slices of each kind, or as many as there are, by image id.

    The best and the median are of slices with a mask: an empty mask that a model leaves empty has a Dice of 1 and
    shows nothing. The worst are of all slices.
    """
    dice = dice.sort_values(ascending=False, kind="stable")
    shown = held_out.rows["image_id"].to_numpy()[held_out.masks.any(axis=(1, 2))]
    with_mask = dice[dice.index.isin(shown)]
    middle = max(len(with_mask) - CASES, 0) // 2
    return {"Best": with_mask[:CASES], "Median": with_mask[middle : middle + CASES], "Worst": dice[::-1][:CASES]}


def case(image_id: str, dice: float, held_out: HeldOut, found: dict[str, Any]) -> dict[str, Any]:
    place = int(np.flatnonzero(held_out.rows["image_id"] == image_id)[0])
    image = open_images(IMAGES)[held_out.rows["row"].iloc[place]]
    masks = {name: of_model[place] for name, of_model in found.items()}
    picture = outlines_picture(Case(np.asarray(image), held_out.masks[place], masks))
    return {"image_id": image_id, "dice": dice, "picture": picture}


def stage_seconds(params: Params) -> list[times.Time]:
    """None where the stages ran elsewhere, as the log stays with the machine."""
    log = LOG.with_name("segmentation_stages.csv")
    if not log.is_file():
        return []
    names = [f"{architecture}-{loss}" for architecture in params.architectures for loss in params.losses]
    items = {f"{name}-{seed}" for name in names for seed in params.seeds} | {str(s) for s in params.translator.seeds}
    items |= {f"{s}-{seed}" for s in (*params.schemes.real, *params.schemes.synthetic) for seed in params.schemes.seeds}
    return times.stage_times(read_csv(log), items, without="report")


if __name__ == "__main__":
    run_stage(main)
