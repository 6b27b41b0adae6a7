"""Synthetic images beside their nearest training images, and how near real images of the other splits come to them."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.copies import References
from pipeline.images import at_size
from pipeline.metrics.auc_inference import TestSet, auc_estimate
from pipeline.registration import TURNS
from pipeline.reporting.pictures import pair_picture

CLOSEST, TYPICAL, PAIR_SIZE = 6, 3, 128  # pairs that are shown; px of each image of a pair
TURN_SIZE = 16  # px at which two images are laid the same way
HELD_OUT = 500  # real images of val and test that are compared, at most


class NearestPair(NamedTuple):
    picture: str
    seed: int
    nearest: str  # the training image's id
    likeness: float
    turn: str  # of the training image, so that it lies as the synthetic one does


class Nearness(NamedTuple):
    """How like training images others are.

    Attributes:
        closest, typical: synthetic images that were kept.
        drawn: (N,), likeness of every image drawn to its most similar training image.
        held_out: (M,), the same of real images of val and test.
        nearer: how often a synthetic image is more like a training image than a held-out one is, ties counting half
            (Meehan et al. 2020, section 3), with its interval; one half: as near as new photographs.
        copies: of the images drawn, dropped.
    """

    closest: list[NearestPair]
    typical: list[NearestPair]
    drawn: NDArray[np.float64]
    held_out: NDArray[np.float64]
    nearer: tuple[float, float, float]
    copies: int


def nearness(
    manifests: dict[int, pd.DataFrame],
    synthetic: dict[int, NDArray[np.uint8]],
    images: NDArray[np.uint8],
    splits: pd.DataFrame,
    target: int,
    confidence: float,
) -> Nearness:
    """The generators of one class, all seeds together.

    Args:
        manifests: data/synthetic/<class>/<seed>/manifest.csv, by seed.
        synthetic: (N, H, W, C) in [0, 255], by seed.
        images: (M, H, W, C), by row of ``splits``.
        splits: data/splits.csv.
        confidence: of the interval of ``nearer``.
    """
    drawn = pd.concat([manifest.assign(seed=seed) for seed, manifest in manifests.items()], ignore_index=True)
    kept = (
        drawn[~drawn["copy"]]
        .astype({"row": int})
        .sort_values(["likeness", "seed", "row"], ascending=[False, True, True], ignore_index=True)
    )
    middle = max(0, (len(kept) - TYPICAL) // 2)
    row_of = splits.set_index("image_id")["row"]

    def show(chosen: pd.DataFrame) -> list[NearestPair]:
        return [
            nearest_pair(synthetic[pair["seed"]][pair["row"]], images[row_of[pair["nearest_image_id"]]], pair)
            for pair in chosen.to_dict("records")
        ]

    likeness = drawn["likeness"].to_numpy(dtype=np.float64)
    held_out, group = held_out_likeness(images, splits, target)
    return Nearness(
        show(kept.head(CLOSEST)),
        show(kept[middle : middle + TYPICAL]),
        likeness,
        held_out,
        how_often_nearer(likeness, held_out, group, confidence),
        int(drawn["copy"].sum()),
    )


def how_often_nearer(
    drawn: NDArray[np.float64], held_out: NDArray[np.float64], group: NDArray[np.int64], confidence: float
) -> tuple[float, float, float]:
    """See ``Nearness.nearer``: the share and its interval.

    Args:
        group: (M,), of the held-out images; those of one patient or lesion are alike.
    """
    origin = np.repeat([0, 1], [len(held_out), len(drawn)])
    groups = np.concatenate([group, group.max() + 1 + np.arange(len(drawn))])
    share = auc_estimate(TestSet(origin, groups), np.concatenate([held_out, drawn])[np.newaxis])
    low, high = share.interval(confidence)
    return share.value, max(low, 0.0), min(high, 1.0)


def nearest_pair(synthetic: NDArray[np.uint8], training: NDArray[np.uint8], row: Mapping[Any, Any]) -> NearestPair:
    """The two images, (H, W, C) each, side by side in the orientation in which they differ least.

    Args:
        row: of the manifest, with its seed.
    """
    small = [at_size(image[np.newaxis], TURN_SIZE).astype(np.float64) for image in (synthetic, training)]
    turn = min(TURNS, key=lambda name: float(((small[0] - TURNS[name](small[1])) ** 2).sum()))
    picture = pair_picture(synthetic, training, turn, PAIR_SIZE)
    return NearestPair(picture, row["seed"], row["nearest_image_id"], row["likeness"], turn)


def held_out_likeness(
    images: NDArray[np.uint8], splits: pd.DataFrame, target: int
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Of real images of the class that no generator was trained on: how like a new image is by itself, (M,).

    Returns: the likeness, and the group of each.
    """
    train = splits["split"] == "train"
    training = np.sort(splits.loc[train, "row"].to_numpy())
    held_out = splits[~train & (splits["target"] == target)].sort_values("row")
    chosen = held_out.iloc[np.linspace(0, len(held_out) - 1, min(HELD_OUT, len(held_out))).astype(int)]
    likeness, _ = References(images[training]).likeness(images[chosen["row"].to_numpy()])
    return likeness, pd.factorize(chosen["group_id"])[0].astype(np.int64)
