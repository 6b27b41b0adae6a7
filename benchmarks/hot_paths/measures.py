"""The five paired measures of score_synthetic, beside one call of each for one pair at a time."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch

from benchmarks.hot_paths import HotPath
from pipeline.score_synthetic import MEASURES, mean_measures
from pipeline.training.batches import as_tensor

PAIRS, PLAIN_PAIRS = 1000, 100
SIZE = 128


def paths(device: torch.device, folder: Path) -> Iterator[HotPath]:
    rng = np.random.default_rng(0)
    packed = (rng.integers(0, 256, (PAIRS, SIZE, SIZE, 3), dtype=np.uint8) for _ in range(2))
    images, references = (as_tensor(each, device).float() / 255 for each in packed)
    plain_images, plain_references = images.contiguous(), references.contiguous()

    def ours() -> None:
        mean_measures(images, references)

    def plain() -> dict[str, list[float]]:
        return {
            name: [measure(plain_images[[pair]], plain_references[[pair]]).item() for pair in range(PLAIN_PAIRS)]
            for name, measure in MEASURES.items()
        }

    yield HotPath(f"five paired measures, {SIZE} px", "pairs", PAIRS, ours, plain, PLAIN_PAIRS, floor=5)
