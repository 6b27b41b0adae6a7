"""Command predict: image files in; for each its probability of malignancy, from one trained classifier, out.

python -m pipeline.predict --checkpoint data/checkpoints/classifier/<scheme>/<seed> IMAGE...
"""

import argparse
import csv
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from pipeline.decoding import Geometry, Task, decode
from pipeline.errors import InputError
from pipeline.images import at_size
from pipeline.params.classes import TARGETS
from pipeline.trained_classifier import read_classifier
from pipeline.training.batches import as_tensor
from pipeline.training.classifier import predict


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
    network, built_with = read_classifier(checkpoint, torch.device("cpu"))
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
        pixels = as_tensor(image, torch.device("cpu"))
        probability = float(predict(network, pixels, built_with["test_time_augmentation"])[0])
        table.writerow([file, f"{probability:.4f}", f"{threshold:.4f}", labels[int(probability >= threshold)]])
    return refused


if __name__ == "__main__":
    main()
