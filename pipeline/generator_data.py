"""What a generator trains on and what it is told of each image: each family has its own way."""

from typing import NamedTuple

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor

from models.generators.families import Collection, Family, Translator
from pipeline.conditions import Conditions, Numbers
from pipeline.folder import read_folder
from pipeline.images import at_size
from pipeline.params.classes import TARGETS, ClassName
from pipeline.sources import OTHER_CLASS, Sources, read_sources
from pipeline.training.batches import as_tensor, where_room_is

Told = Conditions | Numbers | Sources  # all draw what a generator is told


class GeneratorData(NamedTuple):
    """The images that a generator trains on."""

    images: Tensor  # (N, C, H, W) uint8
    with_each: Tensor  # labels (N,), or a translator's sources (M, S, H, W) uint8
    told: Told  # what it is told when it draws


def generator_data(
    variant: Family,
    training: pd.DataFrame,
    conditions: Conditions,
    packed: NDArray[np.uint8],
    class_name: ClassName,
    image_size: int,
    device: torch.device,
) -> GeneratorData:
    """What ``variant`` trains on to draw images of a class.

    Args:
        training: the training images: ``image_id, row, target, label``, by row.
        conditions: under which images of the class are drawn.
        packed: all images.
    """
    of_class = training["target"] == TARGETS[class_name]
    if isinstance(variant, Collection):
        files = read_folder(f"gan.variants.folder.{class_name}", variant.folders[class_name], image_size)
        images = as_tensor(files, device)  # a part of the generator, which goes there as a whole
        return GeneratorData(images, torch.arange(len(images)), Numbers(len(images)))
    if isinstance(variant, Translator):
        translated = training[of_class != (variant.sources == OTHER_CLASS)]
        sources = read_sources(variant.sources, translated["image_id"].tolist(), image_size, device)
        shown = training[training["image_id"].isin(sources.image_ids) if variant.paired else of_class]
        return GeneratorData(_images(packed, shown, image_size, device), sources.images, sources)
    shown = training if variant.conditional else training[of_class]
    labels = torch.tensor(shown["label"].to_numpy(), device=device)
    return GeneratorData(_images(packed, shown, image_size, device), labels, conditions)


def _images(packed: NDArray[np.uint8], shown: pd.DataFrame, image_size: int, device: torch.device) -> Tensor:
    return where_room_is(at_size(packed[shown["row"]], image_size), device)


def some_of_each_class(training: pd.DataFrame, count: int, seed: int) -> pd.DataFrame:
    """At most ``count`` images of each class, in their order; fewer are always a part of more."""
    shuffled = training.iloc[np.random.default_rng(seed).permutation(len(training))]
    return shuffled.groupby("target").head(count).sort_values("row")
