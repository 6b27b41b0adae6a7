"""Stage train_gan: training images of one class in, an averaged generator and its loss curve out."""

from pathlib import Path
from typing import Any

import pandas as pd
import torch
from pydantic import Field

from models.generators import build_variant
from pipeline.checkpoints import save_model
from pipeline.compute import autocast, read_device
from pipeline.images import at_size, open_images, rows_of
from pipeline.params.classes import TARGETS, ClassName
from pipeline.params.gan import GanTrainParams
from pipeline.params.generators import SETTINGS
from pipeline.params.reader import StageParams, checked, read_params
from pipeline.progress import progress_bar
from pipeline.resume import ResumePoint
from pipeline.seeding import derive_seed
from pipeline.stage import run_stage
from pipeline.store import read_csv, replaced_directory, write_csv
from pipeline.training.adversarial import AdversarialRun, train_adversarial
from pipeline.training.batches import as_tensor

IMAGES = Path("data/images")
SPLITS = Path("data/splits.csv")
CHECKPOINTS = Path("data/checkpoints/gan")
PLOTS = Path("reports/plots")


class Params(StageParams):
    seed: int = Field(alias="seed")
    variant: str = Field(alias="gan.variant")
    settings: dict[str, Any] = Field(alias="gan.variants.${gan.variant}")
    image_size: int = Field(alias="gan.image_size")
    train: GanTrainParams = Field(alias="gan.train")
    precision: str = Field(alias="compute.precision")


def main(class_name: ClassName, gan_seed: str) -> None:
    params = read_params(Params)
    seed = derive_seed(params.seed, "gan", class_name, gan_seed)
    run = start_run(params, class_name, seed)
    resume = ResumePoint(f"train_gan_{class_name}_{gan_seed}", params, [run.images, run.labels])
    if state := resume.load():
        run.load(state)
        print(f"resumed at {run.images_seen / 1000:g} kimg", flush=True)
    total = round(params.train.kimg * 1000)
    with progress_bar(f"{params.variant} {class_name}", total, "images", initial=run.images_seen) as bar:
        ema = train_adversarial(run, resume.save, bar.update)
    with replaced_directory(CHECKPOINTS / class_name / gan_seed) as directory:
        save_model(directory, ema, built_with(params, run))
    write_csv(PLOTS / f"gan_{class_name}_{gan_seed}.csv", pd.DataFrame(run.curve))
    resume.remove()


def start_run(params: Params, class_name: ClassName, seed: int) -> AdversarialRun:
    """Networks with fresh weights, and the training images of the class: the only images that are read."""
    device = read_device()
    packed = open_images(IMAGES)
    rows = rows_of(read_csv(SPLITS), "train", TARGETS[class_name])
    images = as_tensor(at_size(packed[rows], params.image_size), device)
    labels = torch.full((len(rows),), TARGETS[class_name], device=device)
    keys = {name: f"gan.variants.{params.variant}.{name}" for name in params.settings}
    settings = checked(SETTINGS[params.variant], params.settings, keys).model_dump()
    torch.manual_seed(seed)
    variant = build_variant(params.variant, image_size=params.image_size, channels=packed.shape[3], **settings)
    return AdversarialRun(
        variant, images, labels, params.train, seed, lambda: autocast(device, params.precision, cpu_gains=True)
    )


def built_with(params: Params, run: AdversarialRun) -> dict[str, Any]:
    return {
        "variant": params.variant,
        "settings": params.settings,
        "image_size": params.image_size,
        "channels": run.images.shape[1],
        "parameters": sum(weights.numel() for weights in run.ema.parameters()),
        "images_seen": run.images_seen,
        "training_images": len(run.images),
    }


if __name__ == "__main__":
    run_stage(main, "class", "seed")
