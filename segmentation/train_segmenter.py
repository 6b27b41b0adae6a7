"""Stage train_segmenter: real pairs in, a segmenter and the masks that it finds in val and test out."""

from pathlib import Path
from typing import Any

from pydantic import Field

from pipeline.params.reader import checked, read_params
from pipeline.stage import run_stage
from segmentation.fitting import FittingParams, Segmenter, fit
from segmentation.packed import pairs_of, read_splits
from segmentation.params import PARAMS, settings_kind


class Params(FittingParams):
    settings: dict[str, Any] = Field(alias="architectures.${item.architecture}")
    augment: str = Field(alias="augment")


def main(architecture: str, loss: str, seed: str) -> None:
    params = read_params(Params, PARAMS, architecture=architecture)
    keys = {name: f"architectures.{architecture}.{name}" for name in params.settings}
    settings = checked(settings_kind(architecture), params.settings, keys)
    training, _ = pairs_of(read_splits(), "train")
    segmenter = Segmenter(architecture, settings, loss, params.augment)
    fit(params, segmenter, Path("models", f"{architecture}-{loss}"), seed, training)


if __name__ == "__main__":
    run_stage(main, "architecture", "loss", "seed")
