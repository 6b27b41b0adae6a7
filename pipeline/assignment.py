"""Which split each group of images goes to."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.params.split import GroupedSplitParams
from pipeline.seeding import derive_seed

NAMES = ("train", "val", "test")  # from the least held out to the most

# With 0.2 and five sources, each is within two images of its share, without it within ten; with 300 sources among
# 1,000 images the class shares still are within 1.5 %, with a weight of 1 within 3 %.
SOURCE_WEIGHT = 0.2


def group_splits(grouped: pd.DataFrame, params: GroupedSplitParams, seed: int) -> pd.Series:
    """The split of every group, by group id: first the settled ones are counted, then the large go before the small.

    Args:
        grouped: a row per image: ``group_id, target, source, official_split``.
    """
    images, weights = strata(grouped["group_id"], grouped["target"], grouped["source"])
    levels = held_out_level(grouped["official_split"]).groupby(grouped["group_id"]).max()
    open_to = open_splits(levels)
    sizes = grouped["group_id"].value_counts()[images.index].to_numpy()
    ties = np.array([derive_seed(seed, "split", group) for group in images.index])
    order = np.lexsort([ties, -sizes, open_to.sum(axis=1)])
    chosen = np.empty(len(order), dtype=np.int64)
    shares = np.array([params.train, params.val, params.test])
    chosen[order] = assign(images.to_numpy()[order], weights, shares, open_to[order])
    return pd.Series(np.array(NAMES)[chosen], index=images.index)


def held_out_level(official_split: pd.Series) -> pd.Series:
    """The position of each name in ``NAMES``; -1 for any other."""
    return official_split.map({name: level for level, name in enumerate(NAMES)}).fillna(-1).astype(int)


def open_splits(levels: pd.Series) -> NDArray[np.bool_]:
    """The splits that each group may go to, (G, 3).

    An official split is kept: what it holds out stays held out. Where it has no val or no test at all, these are taken
    from its train. Groups without an official split may go anywhere.

    Args:
        levels: (G,), the highest ``held_out_level`` in each group.
    """
    by_level = np.eye(len(NAMES), dtype=bool)
    by_level[0] |= ~np.isin(np.arange(len(NAMES)), levels)
    return np.vstack([by_level, np.ones(len(NAMES), dtype=bool)])[levels]  # the last row is that of level -1


def assign(
    groups: NDArray[np.int64], weights: NDArray[np.float64], shares: NDArray[np.float64], open_to: NDArray[np.bool_]
) -> NDArray[np.int64]:
    """Gives each group in turn to the split that it brings nearest to its share of every stratum.

    What is kept small is the weighted sum over strata and splits of (share reached - share wanted)^2 / share wanted, a
    share being one of the stratum's images. Dividing makes the large groups, which come first, go to every split in
    proportion; without it the smallest split would get none.

    Args:
        groups: (G, K), images of each stratum in each group, in the order of assignment.
        weights: (K,), how much each stratum matters.
        shares: (S,), the wanted shares, sum 1.
        open_to: (G, S), the splits that a group may go to.

    Returns: (G,), the index of each group's split.
    """
    totals = np.maximum(groups.sum(axis=0), 1)
    excess = -np.repeat(shares[:, None], len(totals), axis=1)  # (S, K), share reached - share wanted
    chosen = np.empty(len(groups), dtype=np.int64)
    for index, fraction in enumerate(groups / totals):
        growth = (fraction * (2 * excess + fraction)) @ weights / shares
        chosen[index] = np.where(open_to[index], growth, np.inf).argmin()
        excess[chosen[index]] += fraction
    return chosen


def strata(group_id: pd.Series, target: pd.Series, source: pd.Series) -> tuple[pd.DataFrame, NDArray[np.float64]]:
    """Images of each group in each class, and in each class of each source.

    Returns: one row per group in the order of the ids, (G, K); the weights of the columns, (K,): 1 for a class,
        ``SOURCE_WEIGHT`` times its share of all images for a class of a source.
    """
    classes = pd.crosstab(group_id, target)
    sources = pd.crosstab(group_id, source + "/" + target.astype(str))
    weights = np.concatenate([np.ones(len(classes.columns)), SOURCE_WEIGHT * sources.sum() / len(group_id)])
    return pd.concat([classes, sources], axis=1), weights
