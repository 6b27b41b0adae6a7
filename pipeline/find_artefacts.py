"""Stage find_artefacts: real and synthetic images and the detectors in; how often each artefact is in either out.

A generator that draws rulers twice as often on malignant skin teaches a classifier the ruler.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from pipeline.artefact_detectors import ArtefactDetectors
from pipeline.compute import take_device
from pipeline.images import at_size, contact_sheet, open_images, rows_of
from pipeline.metrics.rates import Count, rate_ratio
from pipeline.params.artefacts import Kind
from pipeline.params.classes import TARGETS, ClassName
from pipeline.params.evaluate import EvaluateParams
from pipeline.params.reader import StageParams, read_params
from pipeline.progress import progress_bar
from pipeline.stage import run_stage
from pipeline.store import read_csv, replaced_directory, write_json

IMAGES = Path("data/images")
SPLITS = Path("data/splits.csv")
SYNTHETIC = Path("data/synthetic")
DETECTORS = Path("data/artefacts")
FOUND = Path("reports/artefacts")
RATES = "rates.json"
SHOWN = 8  # images of each set in a picture


class Params(StageParams):
    kinds: list[Kind] = Field(alias="artefacts.kinds")
    classes: list[ClassName] = Field(alias="gan.classes")
    seeds: list[int] = Field(alias="gan.seeds")
    gan_image_size: int = Field(alias="gan.image_size")
    evaluate: EvaluateParams = Field(alias="evaluate")
    threads: int = Field(alias="compute.threads")


class Searched(NamedTuple):
    """Images (N, H, W, C) in [0, 255] and how surely each kind is in them, (N, kinds): above 1 it counts as found."""

    images: NDArray[np.uint8]
    scores: NDArray[np.float64]


def main() -> None:
    params = read_params(Params)
    with replaced_directory(FOUND) as directory:
        if params.kinds:
            real, synthetic = search(params)
            write_json(directory / RATES, rates(params, real, synthetic))
            for number, kind in enumerate(params.kinds):
                surest = [surest_images(sets.values(), number) for sets in (real, synthetic)]
                contact_sheet(np.concatenate(surest), SHOWN, 2).save(directory / f"{kind}.png")
        else:
            write_json(directory / RATES, [])


def search(params: Params) -> tuple[dict[ClassName, Searched], dict[tuple[ClassName, int], Searched]]:
    """The training images of every class, and the images of every generator, by class and seed."""
    splits, packed = read_csv(SPLITS), open_images(IMAGES)
    detectors = ArtefactDetectors(DETECTORS, take_device(params.threads))
    real, synthetic = {}, {}
    with progress_bar("artefacts", len(params.classes) * (1 + len(params.seeds)), "sets") as bar:
        for class_name in params.classes:
            rows = rows_of(splits, "train", TARGETS[class_name])
            real[class_name] = _searched(detectors, at_size(packed[rows], params.gan_image_size))
            bar.update()
            for seed in params.seeds:
                images = np.array(open_images(SYNTHETIC / class_name / str(seed)))
                synthetic[class_name, seed] = _searched(detectors, images)
                bar.update()
    return real, synthetic


def _searched(detectors: ArtefactDetectors, images: NDArray[np.uint8]) -> Searched:
    return Searched(images, detectors.scores(images))


def rates(
    params: Params, real: Mapping[ClassName, Searched], synthetic: Mapping[tuple[ClassName, int], Searched]
) -> list[dict[str, Any]]:
    """A row for every generator and kind: the counts, and the ratio of the rates.

    All the intervals together hold at ``evaluate.confidence`` (Bonferroni), as a reader looks for the worst of them.
    """
    confidence = 1 - (1 - params.evaluate.confidence) / (len(synthetic) * len(params.kinds))
    rows = []
    for (class_name, seed), drawn in synthetic.items():
        for number, kind in enumerate(params.kinds):
            ours, theirs = _count(drawn, number), _count(real[class_name], number)
            ratio = rate_ratio(ours, theirs, confidence)
            rows.append(
                {
                    "class": class_name,
                    "seed": seed,
                    "kind": kind,
                    "synthetic_found": ours.found,
                    "synthetic_images": ours.images,
                    "real_found": theirs.found,
                    "real_images": theirs.images,
                    "ratio": ratio.value,
                    "ratio_ci_low": ratio.low,
                    "ratio_ci_high": ratio.high,
                }
            )
    return rows


def _count(searched: Searched, number: int) -> Count:
    return Count(int(np.sum(searched.scores[:, number] > 1)), len(searched.images))


def surest_images(sets: Iterable[Searched], number: int) -> NDArray[np.uint8]:
    """Those in which the kind is most surely found, (SHOWN, H, W, C); white ones where there are fewer."""
    images, scores = (np.concatenate(parts) for parts in zip(*sets, strict=True))
    chosen = images[np.argsort(-scores[:, number])[:SHOWN]]
    white = np.full((SHOWN - len(chosen), *images.shape[1:]), 255, dtype=np.uint8)
    return np.concatenate([chosen, white])


if __name__ == "__main__":
    run_stage(main)
