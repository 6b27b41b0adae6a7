"""Which images must stay together: those that share a patient, a lesion or anything else, if by way of others."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components


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
