"""One classifier, from packed images to what it says of val and test."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch
from efficientnet_pytorch.utils import url_map
from numpy.typing import NDArray
from pydantic import Field

from models.classifier import Classifier
from pipeline.compute import autocast
from pipeline.errors import InputError
from pipeline.images import at_size, rows_of
from pipeline.launch import end_others, start_ranks
from pipeline.params.classifier import ClassifierTrainParams, Coefficient, Model, Scheme
from pipeline.params.reader import StageParams
from pipeline.pretrained import Pretrained, read_weights
from pipeline.progress import progress_bar
from pipeline.resume import ResumePoint
from pipeline.seeding import derive_seed
from pipeline.training.batches import where_room_is
from pipeline.training.classifier import ClassifierRun, predict, train_classifier
from pipeline.training.ranks import Ranks

Added = list[tuple[NDArray[np.uint8], int]]  # packed images of any size, and their target


class FittingParams(StageParams):
    """What every classifier is trained with, whatever its scheme."""

    seed: int = Field(alias="seed")
    model: Model = Field(alias="classifier.model")
    width: Coefficient = Field(alias="classifier.width")
    depth: Coefficient = Field(alias="classifier.depth")
    image_size: int = Field(alias="classifier.image_size")
    weights: str = Field(alias="classifier.weights")
    frozen_blocks: int = Field(alias="classifier.frozen_blocks")
    batch_norm_momentum: float = Field(alias="classifier.batch_norm_momentum")
    dropout: float = Field(alias="classifier.dropout")
    test_time_augmentation: str = Field(alias="classifier.test_time_augmentation")
    train: ClassifierTrainParams = Field(alias="classifier.train")
    precision: str = Field(alias="compute.precision")
    threads: int = Field(alias="compute.threads")


class Fit(NamedTuple):
    """A trained classifier and what it says of val and test: image_id, split, target, probability."""

    run: ClassifierRun
    network: Classifier
    predictions: pd.DataFrame


@contextmanager
def fitted(
    params: FittingParams,
    scheme: Scheme,
    title: tuple[str, str],
    packed: NDArray[np.uint8],
    splits: pd.DataFrame,
    added: Added,
    pretrained: Pretrained | None,
    real: bool,
) -> Iterator[Fit]:
    """A classifier, trained or trained to its end; what it is resumed from is kept until the caller has its results.

    Args:
        title: the name and the seed of the experiment.
        packed: all images at the classifier's size.
        splits: image_id, row (in ``packed``), split, target.
    """
    name, seed = title
    ranks = start_ranks(params.threads)
    ranks.check_batch(params.train.batch_size, "classifier.train.batch_size", params.train.accumulate)
    run = start_run(
        params, scheme, derive_seed(params.seed, "classifier", seed), packed, splits, added, pretrained, real, ranks
    )
    resume = ResumePoint(
        f"train_classifier_{name}_{seed}",
        params,
        [run.images, run.targets, run.order, run.val_images, torch.from_numpy(run.val_targets.copy())],
        ranks,
    )
    if state := resume.load():
        run.load(state)
        print(f"resumed at step {run.step}", flush=True)
    with progress_bar(f"{name} {seed}", params.train.steps, "steps", run.step, shown=ranks.first) as bar:
        network = train_classifier(run, resume.save, bar.update)
    end_others(ranks)
    held_out = splits[splits["split"].isin(["val", "test"])].sort_values("row")
    images = where_room_is(packed[held_out["row"]], run.device)
    probability = predict(network, images, params.test_time_augmentation)
    yield Fit(run, network, held_out[["image_id", "split", "target"]].assign(probability=probability))
    resume.remove()


def start_run(
    params: FittingParams,
    scheme: Scheme,
    seed: int,
    packed: NDArray[np.uint8],
    splits: pd.DataFrame,
    added: Added,
    pretrained: Pretrained | None,
    real: bool,
    ranks: Ranks,
) -> ClassifierRun:
    """A classifier with its first weights, the training images and, to choose a step by, the val images.

    Args:
        packed: all images at the classifier's size.
    """
    device = ranks.device
    target = splits.set_index("row")["target"]
    val = rows_of(splits, "val")
    train = rows_of(splits, "train") if real else val[:0]
    images = np.concatenate([packed[train], *(at_size(extra, params.image_size) for extra, _ in added)])
    targets = np.concatenate([target[train].to_numpy(), *(np.full(len(extra), label) for extra, label in added)])
    return ClassifierRun(
        build_classifier(params, packed.shape[3], seed, pretrained),
        images=where_room_is(images, device),
        targets=targets,
        val_images=where_room_is(packed[val], device),
        val_targets=target[val].to_numpy(),
        augment=scheme.augment,
        sampler=scheme.sampler,
        loss=scheme.loss,
        train=params.train,
        test_time_augmentation=params.test_time_augmentation,
        stream_seed=partial(derive_seed, seed),
        device=device,
        autocast=lambda: autocast(device, params.precision, cpu_gains=False),
        ranks=ranks,
    )


def build_classifier(params: FittingParams, channels: int, seed: int, pretrained: Pretrained | None) -> Classifier:
    """A classifier with fresh or pretrained weights.

    Raises:
        InputError: if the weights are of another model.
    """
    torch.manual_seed(derive_seed(seed, "weights"))
    try:
        classifier = Classifier(
            model=params.model,
            width=params.width,
            depth=params.depth,
            image_size=params.image_size,
            channels=channels,
            frozen_blocks=params.frozen_blocks,
            batch_norm_momentum=params.batch_norm_momentum,
            dropout=params.dropout,
        )
        if pretrained:
            classifier.load_pretrained(pretrained.state_dict)
    except ValueError as error:
        raise InputError(str(error)) from error
    return classifier


def read_pretrained(weights: str, model: str) -> Pretrained | None:
    """What training starts from; None: from scratch.

    Args:
        weights: none | imagenet | the path of a state dict, named after its content as torch.hub names files:
            ``<name>-<8 or more first digits of its sha256>.<suffix>``. So another content is another param.

    Raises:
        InputError: if the file cannot be had, is no state dict, or has another content than its name says.
    """
    return read_weights("classifier.weights", weights, model, lambda: url_map[model])
