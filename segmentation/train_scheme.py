"""Stage train_scheme: real pairs in, a segmenter of one scheme and the masks that it finds in val and test out."""

from pathlib import Path

import numpy as np
from pydantic import Field

from pipeline.params.reader import read_params
from pipeline.seeding import derive_seed
from pipeline.stage import run_stage
from segmentation.packed import Pairs, pairs_of, read_splits
from segmentation.params import PARAMS, RealScheme
from segmentation.scheme import SchemeFittingParams, fit_scheme


class Params(SchemeFittingParams):
    scheme: RealScheme = Field(alias="schemes.real.${item.scheme}")


def main(scheme: str, seed: str) -> None:
    params = read_params(Params, PARAMS, scheme=scheme)
    training, _ = pairs_of(read_splits(), "train")
    order = np.random.default_rng(derive_seed(params.seed, "repeated", seed)).permutation(len(training.images))
    again = np.resize(order, round(params.scheme.repeated * len(order)))
    repeated = Pairs(training.images[again], training.masks[again])
    fit_scheme(params, params.scheme, Path("schemes", scheme), seed, training, repeated)


if __name__ == "__main__":
    run_stage(main, "scheme", "seed")
