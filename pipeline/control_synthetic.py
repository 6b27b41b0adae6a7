"""Stage control_synthetic: real and synthetic images of a class in; how well a classifier tells them apart out.

A classifier two-sample test (Lopez-Paz and Oquab 2017). Real images keep their split; synthetic ones are dealt out in
the same shares, so that a classifier is judged by images that it was not trained on.
"""

from pathlib import Path

import numpy as np
import pandas as pd
from pydantic import Field

from pipeline.controls import SCHEME, write_control
from pipeline.fitting import FittingParams, fitted, read_pretrained
from pipeline.images import at_size, open_images
from pipeline.params.classes import TARGETS, ClassName
from pipeline.params.evaluate import EvaluateParams
from pipeline.params.reader import read_params
from pipeline.stage import run_stage
from pipeline.store import read_csv

IMAGES = Path("data/images")
SPLITS = Path("data/splits.csv")
SYNTHETIC = Path("data/synthetic")


class Params(FittingParams):
    evaluate: EvaluateParams = Field(alias="evaluate")


def main(class_name: ClassName, gan_seed: str) -> None:
    params = read_params(Params)
    splits = read_csv(SPLITS)
    real = splits[splits["target"] == TARGETS[class_name]].sort_values("row")
    images = [open_images(IMAGES)[real["row"].to_numpy()], open_images(SYNTHETIC / class_name / gan_seed)]
    packed = np.concatenate([at_size(each, params.image_size) for each in images])
    table = dealt(real, len(images[1]))
    name = f"synthetic_{class_name}"
    pretrained = read_pretrained(params.weights, params.model)
    with fitted(params, SCHEME, (name, gan_seed), packed, table, [], pretrained, real=True) as fit:
        write_control(f"{name}_{gan_seed}", fit.predictions, table, params.evaluate.confidence)


def dealt(real: pd.DataFrame, synthetic: int) -> pd.DataFrame:
    """Real images (target 0) in their splits, then synthetic ones (target 1) in the same shares, as they were drawn.

    Returns: image_id, split, group_id, target, row: an index into the images in this order.
    """
    shares = real["split"].value_counts(normalize=True)
    of_train, of_val = (round(shares[name] * synthetic) for name in ("train", "val"))
    split = np.repeat(["train", "val", "test"], [of_train, of_val, synthetic - of_train - of_val])
    names = [f"synthetic_{number:05d}" for number in range(synthetic)]
    drawn = pd.DataFrame({"image_id": names, "split": split, "group_id": names, "target": 1})
    table = pd.concat([real[["image_id", "split", "group_id"]].assign(target=0), drawn], ignore_index=True)
    return table.assign(row=np.arange(len(table)))


if __name__ == "__main__":
    run_stage(main, "class", "seed")
