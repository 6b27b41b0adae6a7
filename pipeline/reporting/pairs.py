"""Synthetic images beside their nearest training images, and how near real images of the other splits come to them."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.copies import References
from pipeline.images import at_size
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
    """Likeness to the most similar training image: (N,) of every image drawn, (M,) of real images of val and test."""

    closest: list[NearestPair]
    typical: list[NearestPair]
    drawn: NDArray[np.float64]
    held_out: NDArray[np.float64]
    copies: int  # of the images drawn, dropped


def nearness(
    manifests: dict[int, pd.DataFrame],
    synthetic: dict[int, NDArray[np.uint8]],
    images: NDArray[np.uint8],
    splits: pd.DataFrame,
    target: int,
) -> Nearness:
    """The generators of one class, all seeds together.

    Args:
        manifests: data/synthetic/<class>/<seed>/manifest.csv, by seed.
        synthetic: (N, H, W, C) in [0, 255], by seed.
        images: (M, H, W, C), by row of ``splits``.
        splits: data/splits.csv.
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

    return Nearness(
        show(kept.head(CLOSEST)),
        show(kept[middle : middle + TYPICAL]),
        drawn["likeness"].to_numpy(dtype=np.float64),
        held_out_likeness(images, splits, target),
        int(drawn["copy"].sum()),
    )


def nearest_pair(synthetic: NDArray[np.uint8], training: NDArray[np.uint8], row: Mapping[Any, Any]) -> NearestPair:
    """The two images, (H, W, C) each, side by side in the orientation in which they differ least.

    Args:
        row: of the manifest, with its seed.
    """
    small = [at_size(image[np.newaxis], TURN_SIZE).astype(np.float64) for image in (synthetic, training)]
    turn = min(TURNS, key=lambda name: float(((small[0] - TURNS[name](small[1])) ** 2).sum()))
    picture = pair_picture(synthetic, training, turn, PAIR_SIZE)
    return NearestPair(picture, row["seed"], row["nearest_image_id"], row["likeness"], turn)


def held_out_likeness(images: NDArray[np.uint8], splits: pd.DataFrame, target: int) -> NDArray[np.float64]:
    """Of real images of the class that no generator was trained on: how like a new image is by itself, (M,)."""
    train = splits["split"] == "train"
    training, held_out = (
        np.sort(splits.loc[of, "row"].to_numpy()) for of in (train, ~train & (splits["target"] == target))
    )
    chosen = held_out[np.linspace(0, len(held_out) - 1, min(HELD_OUT, len(held_out))).astype(int)]
    return References(images[training]).likeness(images[chosen])[0]
