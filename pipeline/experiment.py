"""One classifier of one scheme, from packed images to predictions: what both training stages do."""

from functools import partial
from pathlib import Path
from pickle import UnpicklingError
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import torch
from efficientnet_pytorch.utils import url_map
from numpy.typing import NDArray
from pydantic import Field
from torch import Tensor

from models.classifier import Classifier
from pipeline.checkpoints import save_model
from pipeline.compute import autocast, read_device
from pipeline.errors import InputError
from pipeline.images import GEOMETRY, at_size, open_images, rows_of
from pipeline.metrics.ranking import threshold_youden
from pipeline.named_by_content import check_name
from pipeline.params.classifier import ClassifierTrainParams, Coefficient, GanScheme, Model, RealScheme
from pipeline.params.reader import StageParams
from pipeline.progress import progress_bar
from pipeline.resume import ResumePoint
from pipeline.seeding import derive_seed
from pipeline.store import read_csv, read_json, replaced_directory, sha256_of_file, write_csv
from pipeline.training.batches import as_tensor
from pipeline.training.classifier import ClassifierRun, predict, train_classifier

IMAGES = Path("data/images")
SPLITS = Path("data/splits.csv")
CHECKPOINTS = Path("data/checkpoints/classifier")
PREDICTIONS = Path("data/predictions")

Added = list[tuple[NDArray[np.uint8], int]]  # packed images of any size, and their target


class ExperimentParams(StageParams):
    """What every scheme shares."""

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


class Pretrained(NamedTuple):
    """A state dict of efficientnet-pytorch, and its file's digest."""

    state_dict: dict[str, Tensor]
    sha256: str


def added_per_class(benign: int, malignant: int, rule: str | float) -> tuple[int, int]:
    """How many images a scheme adds to the classes (benign, malignant).

    Args:
        benign, malignant: real training images.
        rule: none; balance: malignant ones until the classes are equal; or this fraction of each class.
    """
    if rule == "none":
        return 0, 0
    if rule == "balance":
        return 0, max(benign - malignant, 0)
    return round(benign * float(rule)), round(malignant * float(rule))


def run_experiment(
    params: ExperimentParams, scheme: RealScheme | GanScheme, name: str, seed: str, added: Added, synthetic_images: int
) -> None:
    """Trains a classifier, keeps the weights with the best val AUC, and predicts val and test once.

    Args:
        added: images to be shown beside the real training images.
        synthetic_images: how many of them are synthetic.
    """
    splits = read_csv(SPLITS)
    packed = at_size(open_images(IMAGES), params.image_size)
    pretrained = read_pretrained(params.weights, params.model)
    run = start_run(params, scheme, derive_seed(params.seed, "classifier", seed), packed, splits, added, pretrained)
    resume = ResumePoint(
        f"train_classifier_{name}_{seed}",
        params,
        [run.images, run.targets, run.order, run.val_images, torch.from_numpy(run.val_targets.copy())],
    )
    if state := resume.load():
        run.load(state)
        print(f"resumed at step {run.step}", flush=True)
    with progress_bar(f"{name} {seed}", params.train.steps, "steps", initial=run.step) as bar:
        network = train_classifier(run, resume.save, bar.update)
    held_out = splits[splits["split"].isin(["val", "test"])].sort_values("row")
    images = as_tensor(packed[held_out["row"]], run.images.device)
    probability = predict(network, images, params.test_time_augmentation)
    write_csv(
        PREDICTIONS / name / f"{seed}.csv",
        held_out[["image_id", "split", "target"]].assign(probability=probability),
    )
    is_val = held_out["split"].to_numpy() == "val"
    use = {
        "weights_sha256": pretrained.sha256 if pretrained else None,
        "test_time_augmentation": params.test_time_augmentation,
        "threshold": threshold_youden(held_out["target"].to_numpy()[is_val], probability[is_val]),
        "geometry": read_json(IMAGES / GEOMETRY),
    }
    with replaced_directory(CHECKPOINTS / name / seed) as directory:
        save_model(directory, network, {**built_with(params, run, synthetic_images), **use})
        write_csv(directory / "curve.csv", pd.DataFrame(run.curve))
    resume.remove()


def start_run(
    params: ExperimentParams,
    scheme: RealScheme | GanScheme,
    seed: int,
    packed: NDArray[np.uint8],
    splits: pd.DataFrame,
    added: Added,
    pretrained: Pretrained | None,
) -> ClassifierRun:
    """A classifier with its first weights, the training images and, to choose a step by, the val images.

    Args:
        packed: all images at the classifier's size.
    """
    device = read_device()
    target = splits.set_index("row")["target"]
    train, val = rows_of(splits, "train"), rows_of(splits, "val")
    images = np.concatenate([packed[train], *(at_size(extra, params.image_size) for extra, _ in added)])
    targets = np.concatenate([target[train].to_numpy(), *(np.full(len(extra), label) for extra, label in added)])
    return ClassifierRun(
        build_classifier(params, packed.shape[3], seed, pretrained),
        images=as_tensor(images, device),
        targets=targets,
        val_images=as_tensor(packed[val], device),
        val_targets=target[val].to_numpy(),
        augment=scheme.augment,
        sampler=scheme.sampler,
        loss=scheme.loss,
        train=params.train,
        test_time_augmentation=params.test_time_augmentation,
        stream_seed=partial(derive_seed, seed),
        autocast=lambda: autocast(device, params.precision, cpu_gains=False),
    )


def build_classifier(params: ExperimentParams, channels: int, seed: int, pretrained: Pretrained | None) -> Classifier:
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
    if weights == "none":
        return None
    path = imagenet_file(model) if weights == "imagenet" else Path(weights)
    if not path.is_file():
        raise InputError(f"classifier.weights is {weights!r}, which is no file; use none, imagenet or a path")
    sha256 = sha256_of_file(path)
    if weights != "imagenet":
        check_name("classifier.weights", path, sha256)
    try:
        state_dict = dict(torch.load(path, map_location="cpu", weights_only=True))
    except (UnpicklingError, RuntimeError, EOFError, TypeError, ValueError) as error:
        raise InputError(f"classifier.weights is {weights}: {path} is no state dict saved by torch.save") from error
    return Pretrained(state_dict, sha256)


def imagenet_file(model: str) -> Path:
    """ImageNet weights from efficientnet-pytorch's own address, downloaded once into torch.hub's folder."""
    url = url_map[model]
    path = Path(torch.hub.get_dir(), "checkpoints", Path(url).name)
    if not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            torch.hub.download_url_to_file(url, str(path))
        except OSError as error:
            raise InputError(
                f"classifier.weights is imagenet, but the weights of {model} could not be downloaded ({error}); "
                "give the path of a state dict, or none"
            ) from error
    return path


def built_with(params: ExperimentParams, run: ClassifierRun, synthetic_images: int) -> dict[str, Any]:
    """How to build the network again, and what ``evaluate`` reports of its training."""
    network = ("model", "width", "depth", "image_size", "frozen_blocks", "batch_norm_momentum", "dropout")
    return {
        **{name: getattr(params, name) for name in network},
        "channels": run.images.shape[1],
        "weights": params.weights,
        "parameters": sum(weights.numel() for weights in run.network.parameters()),
        "train_images": len(run.images),
        "synthetic_images": synthetic_images,
        "optimizer_steps": run.step,
        "best_step": run.best_step,
        "best_val_auc": run.best_auc,
    }
