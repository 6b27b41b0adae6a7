"""Pictures whose perceptual hashes are alike, found among many without comparing each with all others.

The spectrum of a copy is near that of its original, and turns with the picture. So all eight turns of each picture are
sent down random trees over the spectra, and their hashes compared with those of the pictures that they meet there.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.perceptual_hash import BITS, TURNS, signs, turned
from pipeline.progress import progress_bar
from pipeline.projection_forest import Tree, grow

FREQUENCIES = 8  # of each axis
TREES = 16
SEED = 0  # of the trees' directions
BATCH = 1024  # thumbnails transformed at once
Codes = NDArray[np.uint64]  # (N, 4), the bits of N hashes
Turned = dict[str, Codes]


def similar_pairs(hashes: Sequence[str], thumbnails: NDArray[np.uint8], limit: int) -> pd.DataFrame:
    """Pairs whose hashes differ in at most ``limit`` bits under one of the eight turns, in order.

    All of them where the images fit a leaf of a tree; else those that look alike, and some of the others. Of n images
    with the very same hash only the n - 1 pairs with the first of them: enough to join them all.

    Args:
        hashes: from ``perceptual_hash``; an empty one is like no other.
        thumbnails: (N, H, W), gray, of the same images.

    Returns: first, second (positions), distance in bits, turn (of the second, to get the first).
    """
    table = pd.DataFrame({"second": np.arange(len(hashes)), "hash": np.array(hashes, dtype=str)})
    table = table[table["hash"] != ""]
    table["first"] = table.groupby("hash")["second"].transform("min")
    same = table.loc[table["first"] != table["second"], ["first", "second"]].assign(distance=0, turn="identity")
    chosen = table.loc[table["first"] == table["second"]]
    near = _near_pairs(list(chosen["hash"]), spectra(thumbnails, chosen["second"].to_numpy()), limit)
    for name in ("first", "second"):
        near[name] = chosen["second"].to_numpy()[near[name]]
    return pd.concat([same, near]).sort_values(["first", "second"], ignore_index=True)


def spectra(thumbnails: NDArray[np.uint8], rows: NDArray[np.int64]) -> NDArray[np.float32]:
    """The lowest frequencies of the chosen thumbnails but for the mean, of length 1; (M, FREQUENCIES, FREQUENCIES)."""
    side = thumbnails.shape[1]
    cosines = np.cos(np.pi / side * np.outer(np.arange(FREQUENCIES), np.arange(side) + 0.5)).astype(np.float32)
    found = np.empty((len(rows), FREQUENCIES, FREQUENCIES), dtype=np.float32)
    for start in range(0, len(rows), BATCH):
        gray = thumbnails[rows[start : start + BATCH]].astype(np.float32)
        found[start : start + BATCH] = cosines @ gray @ cosines.T
    found[:, 0, 0] = 0
    return found / np.maximum(np.linalg.norm(found, axis=(1, 2), keepdims=True), np.float32(1e-6))


def _near_pairs(hashes: list[str], of_pictures: NDArray[np.float32], limit: int) -> pd.DataFrame:
    """As ``similar_pairs`` of different hashes."""
    bits = signs(hashes)
    codes = {turn: _codes(turned(bits, turn)) for turn in TURNS}
    generator = np.random.default_rng(SEED)
    found = np.zeros(0, dtype=np.int64)  # first * N + second
    with progress_bar("search", TREES, "trees") as bar:
        for _ in range(TREES):
            tree = grow(_flat(of_pictures), generator)
            met = [_met(tree, tree.leaves(_flat(turned(of_pictures, turn))), codes, turn, limit) for turn in TURNS]
            found = np.unique(np.concatenate([found, *met]))
            bar.update()
    return _at_best_turn(*np.divmod(found, len(hashes)), codes)


def _met(tree: Tree, leaves: NDArray[np.int64], codes: Turned, turn: str, limit: int) -> NDArray[np.int64]:
    """First * N + second of pictures of which one, turned, meets the other and is at most ``limit`` bits away.

    Args:
        leaves: (N,), where each picture comes to when turned.
    """
    count = len(leaves)
    second = np.argsort(leaves, kind="stable")  # those of a leaf after each other: whom they meet stays in the cache
    leaves, of_turned = leaves[second], codes[turn][second]
    found = [np.zeros(0, dtype=np.int64)]
    for place in range(tree.leaf_size()):
        first = tree.members(leaves, place)
        near = np.flatnonzero(_distances(codes["identity"][first], of_turned) <= limit)
        one, two = first[near], second[near]
        found.append((np.minimum(one, two) * count + np.maximum(one, two))[one != two])
    return np.unique(np.concatenate(found))


def _at_best_turn(first: NDArray[np.int64], second: NDArray[np.int64], codes: Turned) -> pd.DataFrame:
    distance = np.full(len(first), BITS + 1, dtype=np.int64)
    turn = np.full(len(first), "identity", dtype=object)
    for name, of_turned in codes.items():
        of_turn = _distances(codes["identity"][first], of_turned[second])
        turn[of_turn < distance] = name
        distance = np.minimum(distance, of_turn)
    return pd.DataFrame({"first": first, "second": second, "distance": distance, "turn": turn})


def _codes(bits: NDArray[np.float32]) -> Codes:
    return np.packbits(_flat(bits) > 0, axis=1).view(np.uint64)


def _distances(one: Codes, two: Codes) -> NDArray[np.uint8]:
    return np.bitwise_count(one ^ two).sum(axis=1, dtype=np.uint8)


def _flat(spectra: NDArray[np.float32]) -> NDArray[np.float32]:
    return spectra.reshape(len(spectra), spectra.shape[1] * spectra.shape[2])
