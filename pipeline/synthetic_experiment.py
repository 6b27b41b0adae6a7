"""One classifier of a scheme with synthetic images, whichever folder they come from: what two training stages share."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from pipeline.errors import InputError
from pipeline.experiment import SPLITS, added_per_class, run_experiment
from pipeline.fitting import FittingParams
from pipeline.images import open_images, rows_of
from pipeline.params.classes import TARGETS
from pipeline.params.classifier import GanScheme
from pipeline.seeding import generator_seed
from pipeline.store import read_csv


class SyntheticParams(FittingParams):
    gan_seeds: list[int] = Field(alias="gan.seeds")


def run_synthetic_experiment(params: SyntheticParams, scheme: GanScheme, name: str, seed: str, folder: Path) -> None:
    """Trains on what the scheme asks for of the packed images in ``folder/<class>/<gan seed>``."""
    splits = read_csv(SPLITS)
    benign, malignant = (len(rows_of(splits, "train", target)) for target in (0, 1))
    wanted = added_per_class(benign, malignant, scheme.synthetic)
    if not any(wanted):
        raise InputError(
            f"scheme {name} adds nothing to {benign} benign and {malignant} malignant training images; "
            "give its synthetic a fraction, or call the rarer class malignant"
        )
    added = [
        (synthetic_images(folder / class_name, params.gan_seeds, int(seed), wanted[target]), target)
        for class_name, target in TARGETS.items()
        if wanted[target]
    ]
    run_experiment(params, scheme, name, seed, added, synthetic_images=sum(wanted), real=scheme.real)


def synthetic_images(folder: Path, gan_seeds: list[int], seed: int, count: int) -> NDArray[np.uint8]:
    """The first ``count`` images of the class's generator whose turn it is.

    Raises:
        InputError: if there are fewer.
    """
    directory = folder / str(generator_seed(seed, gan_seeds))
    images = open_images(directory)
    if len(images) < count:
        raise InputError(
            f"the scheme needs {count} synthetic {folder.name} images and {directory} holds {len(images)}; "
            f"raise synthesize.count, to {count} at least"
        )
    return images[:count]
