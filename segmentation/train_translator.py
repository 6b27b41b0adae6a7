"""Stage train_translator: the training pairs in, a generator that draws an image for a mask, and its curve, out."""

import math
from collections.abc import Callable
from functools import partial

import pandas as pd
import torch
from pydantic import Field
from torch import nn

from pipeline.checkpoints import save_model
from pipeline.compute import autocast
from pipeline.errors import InputError
from pipeline.launch import end_others, start_ranks
from pipeline.params.gan import GanTrainParams
from pipeline.params.reader import StageParams, read_params
from pipeline.progress import progress_bar
from pipeline.resume import ResumePoint
from pipeline.seeding import derive_seed
from pipeline.stage import run_stage
from pipeline.store import replaced_directory, write_csv
from pipeline.training.batches import where_room_is
from pipeline.training.generator import RunInputs
from pipeline.training.ranks import Ranks
from pipeline.training.translator import TranslatorRun
from segmentation.packed import pairs_of, read_splits
from segmentation.params import PARAMS, TranslatorParams
from segmentation.translating import TRANSLATORS, build_translator, settings_of


class Params(StageParams):
    seed: int = Field(alias="seed")
    translator: TranslatorParams = Field(alias="translator")
    precision: str = Field(alias="compute.precision")
    threads: int = Field(alias="compute.threads")


def main(generator_seed: str) -> None:
    params = read_params(Params, PARAMS)
    ranks = start_ranks(params.threads)
    ranks.check_batch(params.translator.batch_size, "translator.batch_size")
    run = start_run(params, derive_seed(params.seed, "translator", generator_seed), ranks)
    resume = ResumePoint(f"segmentation_translator_{generator_seed}", params, [run.images, run.told], ranks)
    if state := resume.load():
        run.load(state)
        print(f"resumed at {run.images_seen / 1000:g} kimg", flush=True)
    with progress_bar("pix2pix", run.train.images, "images", run.images_seen, shown=ranks.first) as bar:
        generator = train(run, params.translator.log_kimg, lambda: resume.save(run.state()), bar.update)
    end_others(ranks)
    built_with = {
        "image_size": run.images.shape[2],
        "channels": run.images.shape[1],
        "settings": settings_of(params.translator),
        "train_pairs": len(run.images),
    }
    with replaced_directory(TRANSLATORS / generator_seed) as directory:
        save_model(directory, generator, built_with)
        write_csv(directory / "curve.csv", pd.DataFrame(run.curve))
    resume.remove()


def start_run(params: Params, seed: int, ranks: Ranks) -> TranslatorRun:
    """Networks with fresh weights and the training pairs; pairs are turned together, as the segmenters' are."""
    device = ranks.device
    training, _ = pairs_of(read_splits(), "train")
    torch.manual_seed(seed)
    variant = build_translator(training.images.shape[1], training.images.shape[3], settings_of(params.translator))
    inputs = RunInputs(
        where_room_is(training.images, device),
        where_room_is(training.masks[..., None], device),
        train_settings(params.translator),
        seed,
        device,
        partial(autocast, device, params.precision, cpu_gains=True),
        ranks,
    )
    return TranslatorRun(variant, inputs)


def train_settings(params: TranslatorParams) -> GanTrainParams:
    """As the main graph's loops take them; there are no looks at validation images, so no recall is asked for."""
    return GanTrainParams(
        kimg=params.kimg,
        batch_size=params.batch_size,
        diff_augment=["dihedral"],
        ema_kimg=params.ema_kimg,
        log_kimg=params.log_kimg,
        checkpoint_kimg=params.log_kimg,
        max_images=None,
        min_recall=0.0,
    )


def train(run: TranslatorRun, log_kimg: float, save: Callable[[], None], shown: Callable[[int], object]) -> nn.Module:
    """Shows all images and returns the averaged generator, in eval mode: the last one, as no look chooses.

    Raises:
        InputError: when a loss is no longer finite, naming it.
    """
    logged = int(run.images_seen / (1000 * log_kimg))
    while run.images_seen < run.train.images:
        before = run.images_seen
        run.logged.add(run.step())
        if int(run.images_seen / (1000 * log_kimg)) > logged or run.images_seen >= run.train.images:
            logged = int(run.images_seen / (1000 * log_kimg))
            run.curve.append({"kimg": run.images_seen / 1000, **run.logged.take(run.ranks)})
            refuse_divergence(run.curve[-1])
            save()
        shown(run.images_seen - before)
    return run.drawing()


def refuse_divergence(row: dict[str, float]) -> None:
    for name, value in row.items():
        if not math.isfinite(value):
            raise InputError(f"{name} became {value} by {row['kimg']:g} kimg; lower translator's learning rates")


if __name__ == "__main__":
    run_stage(main, "seed")
