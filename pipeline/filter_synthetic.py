"""Stage filter_synthetic: synthetic images and the baseline's classifiers in, the images that they believe out.

A classifier believes an image when it calls it by the class that it was drawn for, at the threshold that val chose.
"""

from pathlib import Path

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from pydantic import Field

from pipeline.compute import take_device
from pipeline.images import ARRAY, at_size, open_images
from pipeline.params.classes import TARGETS, ClassName
from pipeline.params.classifier import FilteredScheme
from pipeline.params.reader import StageParams, read_params
from pipeline.stage import run_stage
from pipeline.store import replaced_directory, write_csv
from pipeline.trained_classifier import read_classifier
from pipeline.training.batches import as_tensor
from pipeline.training.classifier import predict

BASELINE = Path("data/checkpoints/classifier/baseline")
SYNTHETIC = Path("data/synthetic")
FILTERED = Path("data/filtered")
VOTES = "votes.csv"


class Params(StageParams):
    classes: list[ClassName] = Field(alias="gan.classes")
    gan_seeds: list[int] = Field(alias="gan.seeds")
    classifier_seeds: list[int] = Field(alias="classifier.seeds")
    scheme: FilteredScheme = Field(alias="classifier.filtered_schemes.${item.scheme}")
    threads: int = Field(alias="compute.threads")


def main(scheme: str) -> None:
    params = read_params(Params, scheme=scheme)
    device = take_device(params.threads)
    judges = [BASELINE / str(judge) for judge in params.classifier_seeds]
    with replaced_directory(FILTERED / scheme) as directory:
        for class_name in params.classes:
            for seed in map(str, params.gan_seeds):
                images = open_images(SYNTHETIC / class_name / seed)
                calls = malignant_calls(images, judges, device)
                votes = (calls == TARGETS[class_name]).mean(axis=0)
                kept = votes >= params.scheme.votes
                print(f"{class_name} {seed}: {kept.sum()} of {len(images)} images kept", flush=True)
                partial = directory / class_name / seed
                partial.mkdir(parents=True)
                np.save(partial / ARRAY, images[kept])
                write_csv(partial / VOTES, pd.DataFrame({"row": np.arange(len(images)), "votes": votes, "kept": kept}))


def malignant_calls(images: NDArray[np.uint8], judges: list[Path], device: torch.device) -> NDArray[np.int64]:
    """Whether each classifier calls each image malignant, (J, N) of 0 and 1.

    Args:
        images: packed, (N, H, W, C).
        judges: the classifiers' folders.
    """
    calls = []
    for judge in judges:
        network, built_with = read_classifier(judge, device)
        pixels = as_tensor(at_size(images, built_with["image_size"]), device)
        calls.append(predict(network, pixels, built_with["test_time_augmentation"]) >= built_with["threshold"])
    return np.array(calls, dtype=np.int64)


if __name__ == "__main__":
    run_stage(main, "scheme")
