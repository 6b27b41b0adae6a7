"""Command predict: image files in; for each its probability of malignancy, from one trained classifier, out.

python -m pipeline.predict --checkpoint data/checkpoints/classifier/<scheme>/<seed> IMAGE...
"""

import argparse
import csv
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from models.classifier import Classifier
from pipeline.checkpoints import load_weights, read_built_with
from pipeline.decoding import Geometry, Task, decode
from pipeline.errors import InputError
from pipeline.images import at_size
from pipeline.params.classes import TARGETS
from pipeline.training.batches import as_tensor
from pipeline.training.classifier import predict

NETWORK = ("model", "width", "depth", "image_size", "channels", "frozen_blocks", "batch_norm_momentum", "dropout")
USE = ("threshold", "geometry", "test_time_augmentation")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--checkpoint", type=Path, required=True, metavar="DIR")
    parser.add_argument("images", type=Path, nargs="+", metavar="IMAGE")
    given = parser.parse_args()
    try:
        refused = predict_files(given.checkpoint, given.images)
    except (InputError, OSError) as error:
        sys.exit(f"predict: {error}")
    sys.exit(1 if refused else 0)


def predict_files(checkpoint: Path, files: Sequence[Path]) -> list[Path]:
    """Prints a table: file, probability, the threshold that val chose, and on which side the image is.

    Returns: the files that are no images; each is a line on stderr.

    Raises:
        InputError: if the checkpoint holds no classifier of this version.
    """
    network, built_with = read_classifier(checkpoint)
    geometry, threshold = Geometry(**built_with["geometry"]), built_with["threshold"]
    labels = {target: label for label, target in TARGETS.items()}
    table = csv.writer(sys.stdout, lineterminator="\n")
    table.writerow(["file", "probability", "threshold", "call"])
    refused = []
    for file in files:
        decoded = decode(Task(file, (), geometry))
        if decoded.pixels is None:
            print(f"predict: {file}: {decoded.reason}", file=sys.stderr)
            refused.append(file)
            continue
        image = at_size(decoded.pixels[np.newaxis], built_with["image_size"])
        pixels = as_tensor(image, next(network.parameters()).device)
        probability = float(predict(network, pixels, built_with["test_time_augmentation"])[0])
        table.writerow([file, f"{probability:.4f}", f"{threshold:.4f}", labels[int(probability >= threshold)]])
    return refused


def read_classifier(checkpoint: Path) -> tuple[Classifier, dict[str, Any]]:
    built_with = read_built_with(checkpoint)
    absent = [key for key in (*NETWORK, *USE) if key not in built_with]
    if absent:
        raise InputError(
            f"{checkpoint} has no {absent[0]}, so it is no classifier's; "
            "give data/checkpoints/classifier/<scheme>/<seed>"
        )
    network = Classifier(**{key: built_with[key] for key in NETWORK})
    load_weights(checkpoint, network)
    return network, built_with


if __name__ == "__main__":
    main()
