"""The five paired measures of score_synthetic, beside one call of each for one pair at a time."""

from collections.abc import Iterator
from pathlib import Path

import torch

from benchmarks.hot_paths import HotPath
from pipeline.score_synthetic import MEASURES, mean_measures

PAIRS, PLAIN_PAIRS = 1000, 100
SIZE = 128


def paths(device: torch.device, folder: Path) -> Iterator[HotPath]:
    rng = torch.Generator().manual_seed(0)
    images, references = (torch.rand(PAIRS, 3, SIZE, SIZE, generator=rng).to(device) for _ in range(2))

    def ours() -> None:
        mean_measures(images, references)

    def plain() -> dict[str, list[float]]:
        return {
            name: [measure(images[[pair]], references[[pair]]).item() for pair in range(PLAIN_PAIRS)]
            for name, measure in MEASURES.items()
        }

    yield HotPath(f"five paired measures, {SIZE} px", "pairs", PAIRS, ours, plain, PLAIN_PAIRS, floor=5)
