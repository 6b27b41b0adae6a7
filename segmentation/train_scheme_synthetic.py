"""Stage train_scheme_synthetic: real and synthetic pairs in, a segmenter and the masks that it finds out."""

from pathlib import Path

import numpy as np
from pydantic import Field

from pipeline.errors import InputError
from pipeline.images import MASKS, open_images
from pipeline.params.reader import read_params
from pipeline.seeding import derive_seed, generator_seed
from pipeline.stage import run_stage
from segmentation.packed import Pairs, pairs_of, read_splits
from segmentation.params import PARAMS, SyntheticScheme
from segmentation.scheme import SchemeFittingParams, fit_scheme

SYNTHETIC = Path("data/segmentation/synthetic")


class Params(SchemeFittingParams):
    scheme: SyntheticScheme = Field(alias="schemes.synthetic.${item.scheme}")
    generators: list[int] = Field(alias="translator.seeds")


def main(scheme: str, seed: str) -> None:
    params = read_params(Params, PARAMS, scheme=scheme)
    training, _ = pairs_of(read_splits(), "train")
    folder = SYNTHETIC / str(generator_seed(int(seed), params.generators))
    synthetic = Pairs(open_images(folder), open_images(folder, MASKS))
    wanted = round(params.scheme.added * len(training.images))
    if wanted > len(synthetic.images):
        raise InputError(
            f"schemes.synthetic.{scheme}.added is {params.scheme.added:g}, which is {wanted} pairs, and "
            f"{folder} has {len(synthetic.images)}; raise synthesize.count"
        )
    order = np.random.default_rng(derive_seed(params.seed, "added", seed)).permutation(len(synthetic.images))[:wanted]
    added = Pairs(synthetic.images[order], synthetic.masks[order])
    fit_scheme(params, params.scheme, Path("schemes", scheme), seed, training, added)


if __name__ == "__main__":
    run_stage(main, "scheme", "seed")
