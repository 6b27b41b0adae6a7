"""What the stages that train a control share: how it is trained, and what is written of it."""

from pathlib import Path

import numpy as np
import pandas as pd

from pipeline.metrics.auc_inference import TestSet, auc_estimate
from pipeline.metrics.schemes import auc_report
from pipeline.params.classifier import Scheme
from pipeline.store import write_json

REPORTS = Path("reports/controls")
SCHEME = Scheme(augment="standard", sampler="imbalanced", loss="bce")


def write_control(name: str, predictions: pd.DataFrame, splits: pd.DataFrame, confidence: float) -> None:
    """The AUC on the test images, with the error of the images alone: a control is trained once.

    Args:
        predictions: image_id, split, target, probability.
        splits: image_id, group_id.
    """
    test = predictions[predictions["split"] == "test"].merge(splits[["image_id", "group_id"]])
    group = pd.factorize(test["group_id"])[0].astype(np.int64)
    auc = auc_estimate(TestSet(test["target"].to_numpy(), group), test["probability"].to_numpy()[np.newaxis])
    write_json(REPORTS / f"{name}.json", auc_report(auc, confidence) | {"test_images": len(test)})
