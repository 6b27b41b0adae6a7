"""Stage train_classifier_gan: real and synthetic images in, a classifier and its predictions for val and test out."""

from pathlib import Path

from pydantic import Field

from pipeline.params.classifier import GanScheme
from pipeline.params.reader import read_params
from pipeline.stage import run_stage
from pipeline.synthetic_experiment import SyntheticParams, run_synthetic_experiment

SYNTHETIC = Path("data/synthetic")


class Params(SyntheticParams):
    scheme: GanScheme = Field(alias="classifier.gan_schemes.${item.scheme}")


def main(scheme: str, seed: str) -> None:
    params = read_params(Params, scheme=scheme)
    run_synthetic_experiment(params, params.scheme, scheme, seed, SYNTHETIC)


if __name__ == "__main__":
    run_stage(main, "scheme", "seed")
