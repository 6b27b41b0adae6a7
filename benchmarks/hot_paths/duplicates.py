"""The search for near duplicates, beside a loop over all pairs."""

from collections.abc import Iterator
from functools import partial
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from PIL import Image

from benchmarks.hot_paths import HotPath
from pipeline.decoding import _thumbnail
from pipeline.dermoscopy.cohort import draw_cohort
from pipeline.dermoscopy.faults import VARIANTS
from pipeline.dermoscopy.photograph import Scene, photograph
from pipeline.duplicates import CANDIDATE_BITS, duplicate_pairs
from pipeline.params.split import GroupedSplitParams
from pipeline.perceptual_hash import TURNS, perceptual_hash, signs, turned
from pipeline.processes import map_in_processes

IMAGES, PLAIN_IMAGES = 5000, 300
SIZE = 48  # px, the photographs' shorter side
PARAMS = GroupedSplitParams(train=0.6, val=0.2, test=0.2, duplicate_distance=40, duplicate_correlation=0.94)


def paths(device: torch.device, folder: Path) -> Iterator[HotPath]:
    records = draw_cohort(IMAGES, 0.25, dict.fromkeys(VARIANTS, 0.0), seed=0)
    drawn = list(map_in_processes(drawing, [record.scene for record in records], IMAGES // 1000))
    thumbnails = np.stack([thumbnail for thumbnail, _ in drawn])
    names = [f"I{number:04d}" for number in range(IMAGES)]
    hashes = [code for _, code in drawn]
    table = pd.DataFrame({"image_id": names, "row": range(IMAGES), "target": 0, "sha256": names, "phash": hashes})
    yield HotPath(
        f"near duplicates among {IMAGES} images",
        "pairs",
        IMAGES * (IMAGES - 1) // 2,
        partial(duplicate_pairs, table, thumbnails, PARAMS),
        partial(all_pairs, hashes[:PLAIN_IMAGES]),
        PLAIN_IMAGES * (PLAIN_IMAGES - 1) // 2,
        floor=50,
        note="the plain loop compares hashes in eight turns, and no pictures",
    )


def drawing(scene: Scene) -> tuple[NDArray[np.uint8], str]:
    """The thumbnail and the perceptual hash of a phantom's photograph."""
    picture = Image.fromarray(photograph(scene, SIZE).image)
    return _thumbnail(picture), perceptual_hash(picture)


def all_pairs(hashes: list[str]) -> list[tuple[int, int]]:
    """Pairs of which one, turned, is near the other by their hashes, compared as the package imagehash does."""
    bits = signs(hashes)
    turns = [turned(bits, turn) > 0 for turn in TURNS]
    found = []
    for first, second in combinations(range(len(hashes)), 2):
        if min(np.count_nonzero(turns[0][first] != turn[second]) for turn in turns) <= CANDIDATE_BITS:
            found.append((first, second))
    return found
