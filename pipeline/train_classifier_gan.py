"""Stage train_classifier_gan: real and synthetic images in, a classifier and its predictions for val and test out."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from pipeline.errors import InputError
from pipeline.experiment import SPLITS, ExperimentParams, added_per_class, run_experiment
from pipeline.images import open_images, rows_of
from pipeline.params.classes import TARGETS, ClassName
from pipeline.params.classifier import GanScheme
from pipeline.params.reader import read_params
from pipeline.stage import run_stage
from pipeline.store import read_csv

SYNTHETIC = Path("data/synthetic")


class Params(ExperimentParams):
    scheme: GanScheme = Field(alias="classifier.gan_schemes.${item.scheme}")
    gan_classes: list[ClassName] = Field(alias="gan.classes")
    gan_seeds: list[int] = Field(alias="gan.seeds")


def main(scheme: str, seed: str) -> None:
    params = read_params(Params, scheme=scheme)
    splits = read_csv(SPLITS)
    benign, malignant = (len(rows_of(splits, "train", target)) for target in (0, 1))
    wanted = added_per_class(benign, malignant, params.scheme.synthetic)
    if not any(wanted):
        raise InputError(
            f"scheme {scheme} adds nothing to {benign} benign and {malignant} malignant training images; "
            f"give classifier.gan_schemes.{scheme}.synthetic a fraction, or call the rarer class malignant"
        )
    added = [
        (synthetic_images(name, params.gan_seeds, int(seed), wanted[target]), target)
        for name, target in TARGETS.items()
        if wanted[target]
    ]
    run_experiment(params, params.scheme, scheme, seed, added, synthetic_images=sum(wanted))


def synthetic_images(class_name: ClassName, gan_seeds: list[int], seed: int, count: int) -> NDArray[np.uint8]:
    """The first ``count`` images of one generator: the seed's remainder by their number says which.

    Raises:
        InputError: if there are fewer.
    """
    directory = SYNTHETIC / class_name / str(gan_seeds[seed % len(gan_seeds)])
    images = open_images(directory)
    if len(images) < count:
        raise InputError(
            f"the scheme needs {count} synthetic {class_name} images and {directory} holds {len(images)}; "
            f"set synthesize.count to at least {count}"
        )
    return images[:count]


if __name__ == "__main__":
    run_stage(main, "scheme", "seed")
