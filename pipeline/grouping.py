"""Which images must stay together: those that share a patient, a lesion or the very file, and those that look alike."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from pipeline.params.split import SplitParams
from pipeline.perceptual_hash import Pair, similar_pairs
from pipeline.registration import TURNS, shifted_correlation

CANDIDATE_BITS = 72  # of 255; farther apart, a second photograph of the same is no longer told from another lesion
CLOSE = 0.85  # of the correlation asked for; asking for none joins different lesions in the same black frame
BATCH = 1024  # pairs compared at once


def duplicate_pairs(images: pd.DataFrame, thumbnails: NDArray[np.uint8], params: SplitParams) -> pd.DataFrame:
    """Images of the same file, and images that look alike; of many that are the same, each with the first of them.

    Alike are pictures that correlate well when one is moved a little, among those whose perceptual hashes are not far
    apart; where the hashes are close, less well, as small copies are blurred.

    Args:
        images: image_id, row, target, sha256, phash; on the index 0..N-1, which are the rows of ``thumbnails``.
        thumbnails: (N, H, W), gray.

    Returns: one row per pair: first, second (image ids), first_row, second_row, kind (file or look), distance in bits,
        correlation, turn (of the second, to get the first), first_target, second_target.
    """
    sha256 = images["sha256"].to_numpy()
    repeats = images.groupby("sha256").indices.values()
    same = sorted(Pair(int(rows[0]), int(row), 0, "identity") for rows in repeats for row in rows[1:])
    candidates = similar_pairs(list(images["phash"]), max(CANDIDATE_BITS, params.duplicate_distance))
    others = [pair for pair in candidates if sha256[pair.first] != sha256[pair.second]]
    pairs = pd.DataFrame([*same, *others], columns=list(Pair._fields))
    pairs["kind"] = ["file"] * len(same) + ["look"] * len(others)
    pairs["correlation"] = correlations(pairs, thumbnails).round(3)
    enough = np.where(pairs["distance"] <= params.duplicate_distance, CLOSE, 1) * params.duplicate_correlation
    alike = pairs[(pairs["kind"] == "file") | (pairs["correlation"] >= enough)]
    first, second = (images.loc[alike[name]].reset_index(drop=True) for name in ("first", "second"))
    columns = {
        "first": first["image_id"],
        "second": second["image_id"],
        "first_row": first["row"],
        "second_row": second["row"],
        **{name: alike[name].reset_index(drop=True) for name in ("kind", "distance", "correlation", "turn")},
        "first_target": first["target"],
        "second_target": second["target"],
    }
    return pd.DataFrame(columns)


def correlations(pairs: pd.DataFrame, thumbnails: NDArray[np.uint8]) -> pd.Series:
    """``shifted_correlation`` of each pair after the turn of the second, (P,)."""
    found = pd.Series(0.0, index=pairs.index)
    for turn, rows in pairs.groupby("turn"):
        for start in range(0, len(rows), BATCH):
            batch = rows.iloc[start : start + BATCH]
            first, second = (thumbnails[batch[name]] for name in ("first", "second"))
            found[batch.index] = shifted_correlation(first, TURNS[str(turn)](second))
    return found


def group_ids(image_ids: pd.Series, keys: Sequence[pd.Series], pairs: NDArray[np.int64]) -> pd.Series:
    """Connected components of images that share a value of any key or are a pair.

    Args:
        image_ids: (N,), unique.
        keys: each (N,), on the same index; an empty value joins nothing.
        pairs: (P, 2), positions of images to be joined.

    Returns: (N,), for each image the smallest image id of its group.
    """
    edges = [_edges(key) for key in keys]
    images = np.concatenate([pairs[:, 0], *(image for image, _ in edges)])
    offsets = np.cumsum([len(image_ids), *(int(value.max(initial=-1)) + 1 for _, value in edges)])
    values = [value + offset for (_, value), offset in zip(edges, offsets[:-1], strict=True)]
    others = np.concatenate([pairs[:, 1], *values])
    size = int(offsets[-1])  # nodes: the images, then the values of each key
    graph = coo_array((np.ones(len(images), dtype=np.int8), (images, others)), shape=(size, size))
    _, component = connected_components(graph, directed=False)
    return image_ids.groupby(component[: len(image_ids)]).transform("min")


def _edges(key: pd.Series) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The images that have a value, and the number of that value."""
    images = np.flatnonzero(key.to_numpy() != "")
    values, _ = pd.factorize(key.iloc[images])
    return images, values
