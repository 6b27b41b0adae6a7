"""Stage train_classifier: real images in, a classifier and its predictions for val and test out."""

import numpy as np
from pydantic import Field

from pipeline.experiment import IMAGES, SPLITS, added_per_class, run_experiment
from pipeline.fitting import FittingParams
from pipeline.images import open_images, rows_of
from pipeline.params.classifier import RealScheme
from pipeline.params.reader import read_params
from pipeline.seeding import derive_seed
from pipeline.stage import run_stage
from pipeline.store import read_csv


class Params(FittingParams):
    scheme: RealScheme = Field(alias="classifier.real_schemes.${item.scheme}")


def main(scheme: str, seed: str) -> None:
    params = read_params(Params, scheme=scheme)
    splits = read_csv(SPLITS)
    benign, malignant = (rows_of(splits, "train", target) for target in (0, 1))
    _, again = added_per_class(len(benign), len(malignant), params.scheme.duplicates)
    rng = np.random.default_rng(derive_seed(params.seed, "duplicates", seed))
    duplicates = open_images(IMAGES)[np.resize(rng.permutation(malignant), again)]
    run_experiment(params, params.scheme, scheme, seed, [(duplicates, 1)], synthetic_images=0, real=True)


if __name__ == "__main__":
    run_stage(main, "scheme", "seed")
