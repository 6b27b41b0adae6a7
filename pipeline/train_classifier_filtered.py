"""Stage train_classifier_filtered: real and filtered synthetic images in, a classifier and its predictions out."""

from pathlib import Path

from pydantic import Field

from pipeline.params.classifier import FilteredScheme
from pipeline.params.reader import read_params
from pipeline.stage import run_stage
from pipeline.synthetic_experiment import SyntheticParams, run_synthetic_experiment

FILTERED = Path("data/filtered")


class Params(SyntheticParams):
    scheme: FilteredScheme = Field(alias="classifier.filtered_schemes.${item.scheme}")


def main(scheme: str, seed: str) -> None:
    params = read_params(Params, scheme=scheme)
    run_synthetic_experiment(params, params.scheme, scheme, seed, FILTERED / scheme)


if __name__ == "__main__":
    run_stage(main, "scheme", "seed")
