"""A trained classifier's folder in, its network and what it was built with out."""

from pathlib import Path
from typing import Any

import torch

from models.classifier import Classifier
from pipeline.checkpoints import load_weights, read_built_with
from pipeline.errors import InputError

NETWORK = ("model", "width", "depth", "image_size", "channels", "frozen_blocks", "batch_norm_momentum", "dropout")
USE = ("threshold", "geometry", "test_time_augmentation")


def read_classifier(checkpoint: Path, device: torch.device) -> tuple[Classifier, dict[str, Any]]:
    """Raises InputError if the folder holds no classifier of this version."""
    built_with = read_built_with(checkpoint)
    absent = [key for key in (*NETWORK, *USE) if key not in built_with]
    if absent:
        raise InputError(
            f"{checkpoint} has no {absent[0]}, so it is no classifier's; "
            "give data/checkpoints/classifier/<scheme>/<seed>"
        )
    network = Classifier(**{key: built_with[key] for key in NETWORK})
    load_weights(checkpoint, network)
    return network.to(device), built_with
