"""Trained artefact detectors, and what they find in images."""

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from models.artefact_detector import ArtefactDetector
from pipeline.checkpoints import load_weights, read_built_with
from pipeline.images import at_size
from pipeline.training.artefacts import detect
from pipeline.training.batches import as_tensor

BATCH_SIZE = 128


class ArtefactDetectors:
    """What a checkpoint directory of ``train_artefacts`` holds.

    Attributes:
        kinds: what is looked for.
    """

    def __init__(self, directory: Path, device: torch.device) -> None:
        built = read_built_with(directory)
        self.kinds: list[str] = built["kinds"]
        self._thresholds = np.array(built["thresholds"])
        self._image_size: int = built["image_size"]
        self._device = device
        self._detector = ArtefactDetector(len(self.kinds), built["width"])
        load_weights(directory, self._detector)
        self._detector.eval().to(device)

    def scores(self, images: NDArray[np.uint8]) -> NDArray[np.float64]:
        """(N, H, W, 3) in [0, 255] -> (N, kinds): above 1 the artefact counts as found."""
        tensor = as_tensor(at_size(images, self._image_size), self._device)
        return np.asarray(detect(self._detector, tensor, BATCH_SIZE).double().numpy() / self._thresholds)
