"""Stage external: images from elsewhere and the trained classifiers in; how every scheme does on them out.

Images that are copies of training or validation images are left out and counted, whatever was done to them.
"""

from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import Field

from pipeline.compute import take_device
from pipeline.copies import References
from pipeline.errors import InputError
from pipeline.grouping import group_ids
from pipeline.images import ARRAY, at_size, open_images
from pipeline.metadata import check_classes, read_metadata
from pipeline.metrics.auc_inference import TestSet, auc_estimate, gain_estimate
from pipeline.metrics.ranking import Score
from pipeline.metrics.schemes import auc_report
from pipeline.packing import Files, Folders, pack
from pipeline.params.classifier import CLASSIC
from pipeline.params.image import ImageParams
from pipeline.params.reader import read_params
from pipeline.params.source import ImageSet
from pipeline.progress import progress_bar
from pipeline.schemes import SchemesParams
from pipeline.stage import run_stage
from pipeline.store import read_csv, write_json
from pipeline.trained_classifier import read_classifier
from pipeline.training.batches import as_tensor
from pipeline.training.classifier import predict
from pipeline.usable import drop_reasons

IMAGES = Path("data/images")
SPLITS = Path("data/splits.csv")
CLASSIFIERS = Path("data/checkpoints/classifier")
REPORTS = Path("reports/controls")


class Params(SchemesParams):
    image: ImageParams = Field(alias="image")
    copy_likeness: float = Field(alias="synthesize.copy_likeness")
    given: ImageSet = Field(alias="external.sets.${item.set}")
    threads: int = Field(alias="compute.threads")


@dataclass(frozen=True)
class Elsewhere:
    """A set as it is scored: packed images (N, H, W, C), their class and group (N,), and what was left out."""

    images: NDArray[np.uint8]
    test: TestSet
    counts: dict[str, Any]


def main(name: str) -> None:
    params = read_params(Params, set=name)
    elsewhere = read_set(name, params)
    scores = score(elsewhere.images, params)
    confidence = params.evaluate.confidence
    reports = {}
    for scheme, of_scheme in scores.items():
        reports[scheme] = auc_report(auc_estimate(elsewhere.test, of_scheme), confidence)
        if CLASSIC in scores:
            gain = gain_estimate(elsewhere.test, of_scheme, scores[CLASSIC])
            low, high = gain.interval(confidence)
            key = "auc_gain_over_classic"
            reports[scheme] |= {key: gain.value, f"{key}_ci_low": low, f"{key}_ci_high": high}
    write_json(REPORTS / f"external_{name}.json", elsewhere.counts | {"schemes": reports})


def read_set(name: str, params: Params) -> Elsewhere:
    """The labelled dermoscopic images of a set, without those that the run has seen.

    Raises:
        InputError: if it cannot be read, or a class has fewer than two groups of patients.
    """
    given = params.given
    try:
        metadata, report = read_metadata(given)
        check_classes(metadata, report["unknown_labels"])
    except InputError as error:
        raise InputError(f"external.sets.{name}: {error}") from error
    reasons = drop_reasons(metadata)
    usable = metadata[reasons == ""].reset_index(drop=True)
    with TemporaryDirectory() as folder:
        files = Files(params.image, {name: Folders(f"external.sets.{name}", given.images, None)})
        packed = pack(usable.assign(dataset=name), files, Path(folder))
        images = np.load(Path(folder) / ARRAY)
        manifest = read_csv(Path(folder) / "manifest.csv", dtype=str)
    table = manifest[["image_id", "sha256"]].merge(usable.drop(columns="sha256"), on="image_id")
    copies = References(seen_images()).likeness(images)[0] >= params.copy_likeness
    kept = table[~copies].reset_index(drop=True)
    keys = [kept["patient_id"], kept["lesion_id"], kept["sha256"]]
    group = pd.factorize(group_ids(kept["image_id"], keys, np.empty((0, 2), dtype=np.int64)))[0].astype(np.int64)
    target = kept["target"].astype(int).to_numpy().astype(np.int64)
    return Elsewhere(
        images[~copies],
        TestSet(target, group),
        {
            "records": report["records"],
            "dropped": {str(reason): int(count) for reason, count in reasons[reasons != ""].value_counts().items()},
            "quarantined": sum(packed["quarantined"].values()),
            "copies": int(copies.sum()),
            "images": len(kept),
            "malignant": int(target.sum()),
            "groups": len(np.unique(group)),
        },
    )


def seen_images() -> NDArray[np.uint8]:
    """Those of train and val, packed."""
    splits = read_csv(SPLITS)
    return open_images(IMAGES)[np.sort(splits.loc[splits["split"] != "test", "row"].to_numpy())]


def score(images: NDArray[np.uint8], params: Params) -> dict[str, Score]:
    """What the classifiers of every scheme say, (S, N) each, a row per seed."""
    device = take_device(params.threads)
    schemes = [*params.real_schemes, *params.synthetic_schemes]
    scores: dict[str, list[Score]] = {scheme: [] for scheme in schemes}
    with progress_bar("classifiers", len(schemes) * len(params.seeds), "classifiers") as bar:
        for scheme in schemes:
            for seed in params.seeds:
                network, built_with = read_classifier(CLASSIFIERS / scheme / str(seed), device)
                pixels = as_tensor(at_size(images, built_with["image_size"]), device)
                scores[scheme].append(predict(network, pixels, built_with["test_time_augmentation"]))
                bar.update()
    return {scheme: np.stack(of_scheme) for scheme, of_scheme in scores.items()}


if __name__ == "__main__":
    run_stage(main, "set")
