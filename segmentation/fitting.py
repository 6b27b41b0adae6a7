"""One segmenter, from packed pairs to the masks that it finds in val and test: what the training stages share."""

from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch
from pydantic import Field
from torch import nn

from models.segmenters import build_segmenter
from models.segmenters.stages import Pretrainable
from pipeline.checkpoints import save_model
from pipeline.compute import autocast
from pipeline.errors import InputError
from pipeline.images import ARRAY, GEOMETRY
from pipeline.launch import end_others, start_ranks
from pipeline.params.reader import StageParams
from pipeline.progress import progress_bar
from pipeline.resume import ResumePoint
from pipeline.seeding import derive_seed
from pipeline.store import read_json, replaced_directory, write_csv
from pipeline.training.batches import where_room_is
from pipeline.training.ranks import Ranks
from pipeline.training.segmenter import SegmenterRun, predict_masks, train_segmenter
from segmentation.packed import IMAGES, Pairs, pairs_of, read_splits
from segmentation.params import PlainSettings, PretrainedSettings, TrainParams
from segmentation.pretrained import read_pretrained

CHECKPOINTS = Path("data/segmentation/checkpoints")
PREDICTIONS = Path("data/segmentation/predictions")


class FittingParams(StageParams):
    """What every segmenter is trained with."""

    seed: int = Field(alias="seed")
    train: TrainParams = Field(alias="train")
    precision: str = Field(alias="compute.precision")
    threads: int = Field(alias="compute.threads")


class Segmenter(NamedTuple):
    """Which segmenter is trained, and how."""

    architecture: str
    settings: PlainSettings
    loss: str
    augment: str


def fit(params: FittingParams, segmenter: Segmenter, name: Path, seed: str, training: Pairs) -> None:
    """Trains a segmenter, keeps the weights with the best val Dice, and finds the masks of val and test once.

    Args:
        name: of what is trained, as a path under ``CHECKPOINTS`` and ``PREDICTIONS``; the seed's folder follows.
        training: all pairs that are shown.
    """
    splits, ranks = read_splits(), start_ranks(params.threads)
    ranks.check_batch(params.train.batch_size, "train.batch_size", params.train.accumulate)
    run = start_run(params, segmenter, derive_seed(params.seed, "segmenter", seed), splits, training, ranks)
    choosing = [torch.from_numpy(each.copy()) for each in (run.val_masks, run.val_patient)]
    shown = [run.images, run.masks, run.val_images, *choosing]
    resume = ResumePoint(f"segmentation_{'_'.join(name.parts)}_{seed}", params, shown, ranks)
    if state := resume.load():
        run.load(state)
        print(f"resumed at step {run.step}", flush=True)
    with progress_bar(f"{name} {seed}", params.train.steps, "steps", run.step, shown=ranks.first) as bar:
        network = train_segmenter(run, resume.save, bar.update)
    end_others(ranks)
    with replaced_directory(CHECKPOINTS / name / seed) as directory:
        save_model(directory, network, built_with(segmenter, run))
        write_csv(directory / "curve.csv", pd.DataFrame(run.curve))
    write_predictions(PREDICTIONS / name / seed, network, run, splits)
    resume.remove()


def start_run(
    params: FittingParams, segmenter: Segmenter, seed: int, splits: pd.DataFrame, training: Pairs, ranks: Ranks
) -> SegmenterRun:
    """A segmenter with its first weights, the training pairs and, to choose a step by, the val pairs."""
    device = ranks.device
    val, rows = pairs_of(splits, "val")
    return SegmenterRun(
        new_segmenter(segmenter, training.images.shape[3], seed),
        images=where_room_is(training.images, device),
        masks=where_room_is(training.masks[..., None], device).squeeze(1),
        val_images=where_room_is(val.images, device),
        val_masks=val.masks > 0,
        val_patient=rows["patient"].to_numpy(),
        augment=segmenter.augment,
        loss=segmenter.loss,
        train=params.train,
        stream_seed=partial(derive_seed, seed),
        device=device,
        autocast=lambda: autocast(device, params.precision, cpu_gains=True),
        ranks=ranks,
    )


def new_segmenter(segmenter: Segmenter, channels: int, seed: int) -> nn.Module:
    """With fresh weights, or an encoder's trained ones. Raises InputError if these are of another network."""
    torch.manual_seed(derive_seed(seed, "weights"))
    settings = segmenter.settings
    network = build_segmenter(segmenter.architecture, channels, features=settings.features)
    weights = read_pretrained(settings.weights) if isinstance(settings, PretrainedSettings) else None
    if weights and isinstance(network, Pretrainable):
        try:
            network.load_pretrained(weights)
        except ValueError as error:
            raise InputError(f"architectures.{segmenter.architecture}.weights: {error}") from error
    return network


def built_with(segmenter: Segmenter, run: SegmenterRun) -> dict[str, object]:
    """How to build the network again and use it, and what ``evaluate`` reports of its training."""
    return {
        "architecture": segmenter.architecture,
        "features": segmenter.settings.features,
        "channels": run.images.shape[1],
        "weights": getattr(segmenter.settings, "weights", "none"),
        "loss": segmenter.loss,
        "augment": segmenter.augment,
        "geometry": read_json(IMAGES / GEOMETRY),
        "parameters": sum(weights.numel() for weights in run.network.parameters()),
        "train_pairs": len(run.images),
        "optimizer_steps": run.step,
        "best_step": run.best_step,
        "best_val_dice": run.best_dice,
    }


def write_predictions(path: Path, network: nn.Module, run: SegmenterRun, splits: pd.DataFrame) -> None:
    """The masks found in val and test, one bit a pixel, and whose they are."""
    held_out, rows = pairs_of(splits, "val", "test")
    found = predict_masks(network, where_room_is(held_out.images, run.device))
    with replaced_directory(path) as directory:
        np.save(directory / ARRAY, np.packbits(found, axis=2))
        write_csv(directory / "rows.csv", rows[["image_id", "row", "split"]])
