"""The space in which sets of images are compared: the trained extractor, behind the one resizer."""

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from models.extractor import Extractor
from pipeline.checkpoints import WEIGHTS, load_weights, read_built_with
from pipeline.images import at_size
from pipeline.store import sha256_of_file
from pipeline.training.batches import as_tensor
from pipeline.training.contrastive import extract

BATCH_SIZE = 128


class FeatureSpace:
    """Features of packed images of any size.

    Attributes:
        name: of the extractor.
        sha256: of its weights; numbers of two extractors cannot be compared.
    """

    def __init__(self, directory: Path, device: torch.device) -> None:
        built = read_built_with(directory)
        self.name: str = built["name"]
        self.sha256 = sha256_of_file(directory / WEIGHTS)
        self._image_size: int = built["image_size"]
        self._device = device
        self._extractor = Extractor(built["channels"], built["width"])
        load_weights(directory, self._extractor)
        self._extractor.eval().to(device)

    def features(self, images: NDArray[np.uint8]) -> NDArray[np.float64]:
        """(N, H, W, C) in [0, 255] -> (N, D)."""
        tensor = as_tensor(at_size(images, self._image_size), self._device)
        return extract(self._extractor, tensor, BATCH_SIZE).double().numpy()
