"""One classifier of one scheme, from the project's images to its checkpoint and predictions: what its stages share."""

from pathlib import Path
from typing import Any

import pandas as pd

from pipeline.checkpoints import save_model
from pipeline.fitting import Added, FittingParams, fitted, read_pretrained
from pipeline.images import GEOMETRY, at_size, open_images
from pipeline.metrics.ranking import threshold_youden
from pipeline.params.classifier import Scheme
from pipeline.store import read_csv, read_json, replaced_directory, write_csv
from pipeline.training.classifier import ClassifierRun

IMAGES = Path("data/images")
SPLITS = Path("data/splits.csv")
CHECKPOINTS = Path("data/checkpoints/classifier")
PREDICTIONS = Path("data/predictions")


def added_per_class(benign: int, malignant: int, rule: str | float) -> tuple[int, int]:
    """How many images a scheme adds to the classes (benign, malignant).

    Args:
        benign, malignant: real training images.
        rule: none; balance: malignant ones until the classes are equal; or this fraction of each class.
    """
    if rule == "none":
        return 0, 0
    if rule == "balance":
        return 0, max(benign - malignant, 0)
    return round(benign * float(rule)), round(malignant * float(rule))


def run_experiment(
    params: FittingParams, scheme: Scheme, name: str, seed: str, added: Added, synthetic_images: int, real: bool
) -> None:
    """Trains a classifier, keeps the weights with the best val AUC, and predicts val and test once.

    Args:
        added: images to be shown beside the real training images.
        synthetic_images: how many of them are synthetic.
        real: whether the real training images are shown at all.
    """
    packed = at_size(open_images(IMAGES), params.image_size)
    pretrained = read_pretrained(params.weights, params.model)
    with fitted(params, scheme, (name, seed), packed, read_csv(SPLITS), added, pretrained, real) as fit:
        write_csv(PREDICTIONS / name / f"{seed}.csv", fit.predictions)
        val = fit.predictions[fit.predictions["split"] == "val"]
        use = {
            "weights_sha256": pretrained.sha256 if pretrained else None,
            "test_time_augmentation": params.test_time_augmentation,
            "threshold": threshold_youden(val["target"].to_numpy(), val["probability"].to_numpy()),
            "geometry": read_json(IMAGES / GEOMETRY),
        }
        with replaced_directory(CHECKPOINTS / name / seed) as directory:
            save_model(directory, fit.network, {**built_with(params, fit.run, synthetic_images), **use})
            write_csv(directory / "curve.csv", pd.DataFrame(fit.run.curve))


def built_with(params: FittingParams, run: ClassifierRun, synthetic_images: int) -> dict[str, Any]:
    """How to build the network again, and what ``evaluate`` reports of its training."""
    network = ("model", "width", "depth", "image_size", "frozen_blocks", "batch_norm_momentum", "dropout")
    return {
        **{name: getattr(params, name) for name in network},
        "channels": run.images.shape[1],
        "weights": params.weights,
        "parameters": sum(weights.numel() for weights in run.network.parameters()),
        "train_images": len(run.images),
        "synthetic_images": synthetic_images,
        "optimizer_steps": run.step,
        "best_step": run.best_step,
        "best_val_auc": run.best_auc,
    }
