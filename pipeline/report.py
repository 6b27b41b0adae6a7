"""Stage report: every file in reports/ and example images in; the report, the model card and a checklist out."""

import platform
from collections import Counter
from collections.abc import Iterable, Mapping
from importlib.metadata import version
from itertools import cycle
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from PIL import Image
from pydantic import Field

from pipeline.errors import InputError
from pipeline.images import open_images, rows_of
from pipeline.licences import forbids_commerce, licence_counts
from pipeline.params.artefacts import ArtefactsParams
from pipeline.params.classes import TARGETS, ClassName
from pipeline.params.classifier import CLASSIC, ClassifierParams
from pipeline.params.controls import ControlsParams
from pipeline.params.evaluate import EvaluateParams
from pipeline.params.external import ExternalParams
from pipeline.params.features import FeaturesParams
from pipeline.params.gan import GanTrainParams
from pipeline.params.image import ImageParams
from pipeline.params.phantom import PhantomParams
from pipeline.params.reader import StageParams, read_params
from pipeline.params.reduce import ReduceParams
from pipeline.params.score import ScoreParams
from pipeline.params.source import Sources
from pipeline.params.split import SplitParams
from pipeline.params.synthesize import SynthesizeParams
from pipeline.reporting import artefacts, audit, controls, dataset, external, intervals, subgroups, text, times
from pipeline.reporting.figures import COLOURS, curves_figure, likeness_figure
from pipeline.reporting.pairs import nearness
from pipeline.reporting.pictures import mosaic, thumbnail
from pipeline.reporting.training import classifier_figures, extractor_figure, generator_figures
from pipeline.stage import LOG, run_stage
from pipeline.store import read_csv, read_json, write_text

CLASSIFIER = Path("reports/classifier")
GENERATORS = Path("reports/generators")
SAMPLES = Path("reports/samples")
PLOTS = Path("reports/plots")
COUNTS = {
    "ingest": Path("reports/ingest.json"),
    "reduce": Path("reports/reduce.json"),
    "prepare": Path("reports/prepare.json"),
    "split": Path("reports/split.json"),
}
EXTRACTOR = Path("reports/features.json")
SUBGROUPS = Path("reports/subgroups.json")
CONTROLS = Path("reports/controls")
ARTEFACTS = Path("reports/artefacts")
DETECTORS = Path("reports/artefact_detectors.json")
REDUCED = Path("data/reduced.csv")
SPLITS = Path("data/splits.csv")
DUPLICATES = Path("data/duplicates.csv")
MOVED = Path("data/moved.csv")
IMAGES = Path("data/images")
SYNTHETIC = Path("data/synthetic")
CLASSIFIERS = Path("data/checkpoints/classifier")
REPORT = Path("reports/report.html")
MODEL_CARD = Path("reports/model_card.md")
CLAIM = Path("reports/claim.md")
TIMES = LOG.with_name("times.html")  # no output: the report is the same on every machine, a time is not
MANIFEST = "manifest.csv"
NAMES = {"nearest_image_id": str}  # ids are text, whatever they look like
PAIRS = {"first": str, "second": str}
TEMPLATES = Path(__file__).parent / "reporting/templates"

FEWEST = 30  # predictions in a bin of the calibration curve; of fewer a share says nothing
EXAMPLES, COLUMNS, EXAMPLE_SIZE = 12, 4, 96  # images of a class side by side, in a row, and px of each
SHOWN, GRID_SIZE = 12, 640  # generators whose sample grid and training are shown, px of a grid: ten megabytes at most
PACKAGES = ("torch", "torchvision", "efficientnet-pytorch", "numpy", "pandas", "scipy", "scikit-learn", "piq", "dvc")


class Params(StageParams):
    seed: int = Field(alias="seed")
    sources: Sources = Field(alias="source")
    phantom: PhantomParams = Field(alias="phantom")
    reduce: ReduceParams = Field(alias="reduce")
    image: ImageParams = Field(alias="image")
    split: SplitParams = Field(alias="split")
    features: FeaturesParams = Field(alias="features")
    variant: str = Field(alias="gan.variant")
    classes: list[ClassName] = Field(alias="gan.classes")
    gan_seeds: list[int] = Field(alias="gan.seeds")
    gan_image_size: int = Field(alias="gan.image_size")
    gan_train: GanTrainParams = Field(alias="gan.train")
    settings: dict[str, Any] = Field(alias="gan.variants.${gan.variant}")
    synthesize: SynthesizeParams = Field(alias="synthesize")
    score: ScoreParams = Field(alias="score")
    classifier: ClassifierParams = Field(alias="classifier")
    evaluate: EvaluateParams = Field(alias="evaluate")
    external: ExternalParams = Field(alias="external")
    controls: ControlsParams = Field(alias="controls")
    artefacts: ArtefactsParams = Field(alias="artefacts")
    precision: str = Field(alias="compute.precision")
    threads: int = Field(alias="compute.threads")


def main() -> None:
    params = read_params(Params)
    content = gather(params)
    templates = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=lambda name: name is not None and name.endswith(".html"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    templates.globals |= {"text": text, "duration": times.duration, "taken": times.taken}
    templates.globals |= {"turned": dataset.TURNED}
    for path in (REPORT, MODEL_CARD, CLAIM):
        write_text(path, templates.get_template(path.name).render(content))
    if taken := stage_seconds(params):
        write_text(TIMES, templates.get_template(TIMES.name).render(times=taken, report=REPORT))


def gather(params: Params) -> dict[str, Any]:
    """Everything that the templates print."""
    synthetic_schemes = list(params.classifier.synthetic_schemes)
    schemes = [*params.classifier.real_schemes, *synthetic_schemes]
    reports = {scheme: _read(CLASSIFIER / f"{scheme}.json") for scheme in schemes}
    splits = read_csv(SPLITS)
    generators = [(class_name, seed) for class_name in params.classes for seed in params.gan_seeds]
    scores = {(name, seed): _read(GENERATORS / f"{name}_{seed}.json") for name, seed in generators}
    metadata = _read(CONTROLS / "metadata.json")
    rates = _read(ARTEFACTS / "rates.json")
    parts = _read(SUBGROUPS)
    told_at_sight = detectors(params.controls.synthetic, params.gan_seeds)
    near = {class_name: nearest(params, splits, class_name) for class_name in params.classes}
    of_view: dict[str, Any] = {view: _read(CONTROLS / f"{view}.json") for view in params.controls.views}
    without_lesion = {**metadata, **of_view}
    sees_lesion = CLASSIC if CLASSIC in reports else schemes[0]
    trained = training_curves(schemes, params.classifier.seeds)
    gan_reports = {scheme: reports[scheme] for scheme in synthetic_schemes}
    checks = [
        audit.could_find_a_gain(reports[sees_lesion], gan_reports),
        audit.trained_to_the_end(sees_lesion, [curve["val_auc"].to_numpy() for curve in trained[sees_lesion].values()]),
        audit.splits_apart(splits, read_csv(DUPLICATES, dtype=PAIRS)),
        audit.no_second_photographs(
            {class_name: of_class["held_out"] for class_name, of_class in near.items()},
            params.synthesize.copy_likeness,
        ),
        audit.equal_steps(reports),
        audit.thresholds_from_val(reports),
        audit.test_like_val(sees_lesion, reports[sees_lesion]),
        audit.label_needs_lesion(reports[sees_lesion], without_lesion),
        audit.told_at_sight(told_at_sight),
        audit.not_memorised({class_name: of_class["nearer"] for class_name, of_class in near.items()}),
        audit.not_collapsed({f"{name}, seed {seed}": score for (name, seed), score in scores.items()}),
        audit.artefacts_as_frequent(rates),
        audit.one_threshold_serves(sees_lesion, parts),
        audit.calibrated(sees_lesion, reports[sees_lesion]),
    ]
    return {
        "params": params,
        "verdict": text.verdict_sentence(gan_reports),
        "caveats": text.caveats(reports, params.sources.root),
        "checks": checks,
        "alarms": [check.found for check in checks if check.alarm],
        "confidence": f"{100 * params.evaluate.confidence:g} %",
        "reports": reports,
        "schemes": params.classifier.real_schemes | params.classifier.synthetic_schemes,
        "intervals_carry_seeds": all(report["intervals_carry_seed_error"] for report in reports.values()),
        "rows": intervals.scheme_rows(reports),
        "axes": {"auc": intervals.auc_axis(reports), "gain": intervals.gain_axis(reports)},
        "examples": examples(params, splits),
        "nearness": near,
        "grids": grids(generators[:SHOWN]),
        "curves": curves(),
        "attributes": subgroups.attributes(
            parts,
            [CLASSIC, *synthetic_schemes] if CLASSIC in reports else schemes[:1],
            dict(zip(schemes, cycle(COLOURS), strict=False)),
        ),
        "external": external.external_sets(
            {name: _read(CONTROLS / f"external_{name}.json") for name in params.external.sets}
        ),
        "controls": controls.controls(metadata, of_view, told_at_sight),
        "told_at_sight": told_at_sight,
        "views": {view: saved_picture(CONTROLS / f"{view}.png") for view in of_view},
        "artefact_rows": artefacts.rate_rows(rates),
        "artefact_pictures": {kind: saved_picture(ARTEFACTS / f"{kind}.png") for kind in params.artefacts.kinds},
        "detector_rows": artefacts.detector_rows(_read(DETECTORS)),
        "classifiers": classifier_figures(trained),
        "built_with": _read(CLASSIFIERS / schemes[0] / str(params.classifier.seeds[0]) / "model.json"),
        "scores": scores,
        "extractor": extractor(),
        "training": {
            f"{name}, seed {seed}": training(name, seed, scores[name, seed]["checkpoint_kimg"])
            for name, seed in generators[:SHOWN]
        },
        "data": data(params, splits),
        "settings": settings(params),
        "versions": {"python": platform.python_version()} | {name: version(name) for name in PACKAGES},
    }


def _read(path: Path) -> Any:
    if not path.is_file():
        raise InputError(f"{path} does not exist; run the stage that writes it, or `dvc repro`")
    return read_json(path)


def curves() -> dict[str, str]:
    """Title to drawing."""
    roc, pr, calibration = (read_csv(PLOTS / f"{name}.csv") for name in ("roc", "pr", "calibration"))
    rates, retrieval = ("false positive rate", "true positive rate"), ("recall", "precision")
    outcome = ("predicted probability", "share that is malignant")
    return {
        "ROC": curves_figure(roc, "false_positive_rate", "true_positive_rate", rates, diagonal=True, points=False),
        "Precision and recall": curves_figure(pr, "recall", "precision", retrieval, diagonal=False, points=False),
        "Calibration": curves_figure(
            calibration[calibration["predictions"] >= FEWEST],
            "mean_probability",
            "malignant_share",
            outcome,
            diagonal=True,
            points=True,
        ),
    }


def training_curves(schemes: Iterable[str], seeds: Iterable[int]) -> dict[str, dict[int, pd.DataFrame]]:
    """By scheme and seed, how training went."""
    return {s: {seed: read_csv(CLASSIFIERS / s / str(seed) / "curve.csv") for seed in seeds} for s in schemes}


def examples(params: Params, splits: pd.DataFrame) -> dict[str, dict[str, str]]:
    """Per class with a generator, evenly spaced training images and the first generator's images."""
    pictures: dict[str, dict[str, str]] = {}
    for class_name in params.classes:
        rows = rows_of(splits, "train", TARGETS[class_name])
        synthetic = open_images(SYNTHETIC / class_name / str(params.gan_seeds[0]))
        size = min(EXAMPLE_SIZE, synthetic.shape[1])
        chosen = rows[np.linspace(0, len(rows) - 1, min(EXAMPLES, len(rows))).astype(int)]
        pictures[class_name] = {
            "real": mosaic(open_images(IMAGES)[chosen], COLUMNS, size),
            "synthetic": mosaic(synthetic[:EXAMPLES], COLUMNS, size),
        }
    return pictures


def nearest(params: Params, splits: pd.DataFrame, class_name: ClassName) -> dict[str, Any]:
    """What is printed of how near the class's synthetic images come to its training images."""
    folders = {seed: SYNTHETIC / class_name / str(seed) for seed in params.gan_seeds}
    manifests = {seed: read_csv(folder / MANIFEST, dtype=NAMES) for seed, folder in folders.items()}
    synthetic = {seed: open_images(folder) for seed, folder in folders.items()}
    confidence = params.evaluate.confidence
    found = nearness(manifests, synthetic, open_images(IMAGES), splits, TARGETS[class_name], confidence)
    likeness = {"synthetic, all that were drawn": found.drawn, "real, of val and test": found.held_out}
    return found._asdict() | {
        "figure": likeness_figure(likeness, params.synthesize.copy_likeness),
        "sentence": text.nearness_sentence(found.drawn, found.held_out, found.nearer),
    }


def grids(generators: Iterable[tuple[ClassName, int]]) -> dict[str, str]:
    pictures = {}
    for class_name, seed in generators:
        path = SAMPLES / f"{class_name}_{seed}.png"
        if path.is_file():
            with Image.open(path) as picture:
                pictures[f"{class_name}, seed {seed}"] = thumbnail(picture, GRID_SIZE)
    return pictures


def detectors(classes: Iterable[ClassName], seeds: Iterable[int]) -> dict[str, Any]:
    """By the generator's name, how well its images are told from real ones."""
    return {
        f"{class_name}, seed {seed}": _read(CONTROLS / f"synthetic_{class_name}_{seed}.json")
        for class_name in classes
        for seed in seeds
    }


def saved_picture(path: Path) -> str:
    with Image.open(path) as picture:
        return thumbnail(picture, GRID_SIZE)


def extractor() -> dict[str, Any]:
    validation = _read(EXTRACTOR)
    return {
        "valid": validation["valid"],
        "sentence": text.extractor_sentence(validation),
        "figure": extractor_figure(validation),
    }


def training(class_name: str, seed: int, kept_kimg: float) -> dict[str, str]:
    """Title to drawing; none for a generator that was not trained."""
    path = PLOTS / f"gan_{class_name}_{seed}.csv"
    return generator_figures(read_csv(path), kept_kimg) if path.is_file() else {}


def stage_seconds(params: Params) -> list[times.Time]:
    """None where the stages ran elsewhere, as the log stays with the machine."""
    if not LOG.is_file():
        return []
    items = {f"{class_name}-{seed}" for class_name in params.classes for seed in params.gan_seeds}
    items |= {*params.sources.root, *params.external.sets, *params.controls.views, *params.classifier.filtered_schemes}
    schemes = [*params.classifier.real_schemes, *params.classifier.synthetic_schemes]
    items |= {f"{scheme}-{seed}" for scheme in schemes for seed in params.classifier.seeds}
    return times.stage_times(read_csv(LOG), items, without="report")


def data(params: Params, splits: pd.DataFrame) -> dict[str, Any]:
    """What the data section prints."""
    counts = {stage: _read(path) for stage, path in COUNTS.items()}
    duplicates, moved, reduced = (
        read_csv(path, dtype=types, keep_default_na=False)
        for path, types in ((DUPLICATES, PAIRS), (MOVED, str), (REDUCED, str))
    )
    licences = licence_counts(reduced, splits["image_id"])
    reduced_to = f"{params.reduce.size:,} images, {params.reduce.balance}"
    return {
        "flow": dataset.flow_rows(counts, reduced_to, Counter(moved["to"])),
        "figures": dataset.label_figures(counts["ingest"]["by_label"]),
        "labels": [label for label in dataset.LABELS if counts["ingest"]["label"].get(label)],
        "splits": dataset.split_rows(splits),
        "sources": dataset.source_rows(counts["split"]["by_source"]),
        "pairs": dataset.duplicate_pairs(duplicates, open_images(IMAGES)),
        "pair_counts": dataset.pair_counts(duplicates),
        "moved": list(moved.head(dataset.MOVED)[["image_id", "from", "to", "group_id"]].itertuples(index=False)),
        "moved_count": len(moved),
        "licences": licences,
        "not_for_sale": sum(count for licence, _, count in licences if forbids_commerce(licence)),
        "counts": {stage: text.count_rows(without_figures(content)) for stage, content in counts.items()},
    }


def without_figures(content: Mapping[str, Any]) -> dict[str, Any]:
    """A stage's counts but for those that are drawn."""
    return {key: value for key, value in content.items() if key != "by_label"}


def settings(params: Params) -> list[tuple[str, str]]:
    values: Mapping[str, Any] = params.model_dump(by_alias=True)
    return [(key.replace("${gan.variant}", params.variant), value) for key, value in text.setting_rows(values)]


if __name__ == "__main__":
    run_stage(main)
