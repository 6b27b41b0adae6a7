"""Stage train_gan: training images of one class in, an averaged generator and its loss curve out.

The checkpoint is chosen by the class's validation images. While it trains, logs/train_gan_<class>_<seed>.png shows how.
"""

from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from pydantic import Field

from models.generators import build_variant
from models.generators.families import Adversarial, Autoencoder, Collection, Diffusion, Family, Translator
from pipeline.checkpoints import save_model
from pipeline.compute import autocast
from pipeline.conditions import Conditions, labelled
from pipeline.feature_space import FeatureSpace
from pipeline.generator_data import Told, generator_data, some_of_each_class
from pipeline.images import at_size, open_images, rows_of
from pipeline.launch import end_others, start_ranks
from pipeline.params.classes import TARGETS, ClassName
from pipeline.params.gan import GanTrainParams
from pipeline.params.generators import SETTINGS
from pipeline.params.reader import StageParams, checked, read_params
from pipeline.progress import progress_bar
from pipeline.resume import ResumePoint
from pipeline.seeding import derive_seed
from pipeline.sources import Sources
from pipeline.stage import run_stage
from pipeline.store import read_csv, replaced_directory, write_csv
from pipeline.training.adversarial import AdversarialRun
from pipeline.training.autoencoder import AutoencoderRun
from pipeline.training.collection import CollectionRun
from pipeline.training.diffusion import DiffusionRun
from pipeline.training.generator import GeneratorRun, RunInputs, train_generator
from pipeline.training.ranks import Ranks
from pipeline.training.translator import TranslatorRun
from pipeline.training_picture import write_training_picture
from pipeline.validation_look import SAMPLES, ValidationLook

IMAGES = Path("data/images")
SPLITS = Path("data/splits.csv")
CONDITIONS = Path("data/conditions.csv")
FEATURES = Path("data/features")
LOGS = Path("logs")
CHECKPOINTS = Path("data/checkpoints/gan")
PLOTS = Path("reports/plots")
RUNS = {
    Adversarial: AdversarialRun,
    Autoencoder: AutoencoderRun,
    Collection: CollectionRun,
    Diffusion: DiffusionRun,
    Translator: TranslatorRun,
}


class Params(StageParams):
    seed: int = Field(alias="seed")
    variant: str = Field(alias="gan.variant")
    settings: dict[str, Any] = Field(alias="gan.variants.${gan.variant}")
    condition_on: str = Field(alias="gan.condition_on")
    image_size: int = Field(alias="gan.image_size")
    train: GanTrainParams = Field(alias="gan.train")
    precision: str = Field(alias="compute.precision")
    threads: int = Field(alias="compute.threads")


def main(class_name: ClassName, gan_seed: str) -> None:
    params = read_params(Params)
    ranks = start_ranks(params.threads)
    ranks.check_batch(params.train.batch_size, "gan.train.batch_size")
    seed = derive_seed(params.seed, "gan", class_name, gan_seed)
    training, conditions = training_images(params, class_name)
    run, told = start_run(params, class_name, training, conditions, seed, ranks)
    look_seed = derive_seed(params.seed, "look", class_name, gan_seed)
    look = validation_look(params, run.variant, told, class_name, look_seed, ranks.device)
    resume = ResumePoint(f"train_gan_{class_name}_{gan_seed}", params, [run.images, run.told, look.real], ranks)
    if state := resume.load():
        run.load(state)
        print(f"resumed at {run.images_seen / 1000:g} kimg", flush=True)

    def save() -> None:
        resume.save(run.state())
        if ranks.first:
            write_training_picture(LOGS / f"train_gan_{class_name}_{gan_seed}.png", run.curve, look.images)

    total = params.train.images
    with progress_bar(f"{params.variant} {class_name}", total, "images", run.images_seen, shown=ranks.first) as bar:
        generator = train_generator(run, look, save, bar.update)
    end_others(ranks)
    with replaced_directory(CHECKPOINTS / class_name / gan_seed) as directory:
        save_model(directory, generator, built_with(params, class_name, run, told, conditions))
    write_csv(PLOTS / f"gan_{class_name}_{gan_seed}.csv", pd.DataFrame(run.curve))
    resume.remove()


def start_run(
    params: Params,
    class_name: ClassName,
    training: pd.DataFrame,
    conditions: Conditions,
    seed: int,
    ranks: Ranks,
) -> tuple[GeneratorRun, Told]:
    """Networks with fresh weights and the images that they train on; what the generator is told when it draws.

    Args:
        training: from ``training_images``.
    """
    device, packed = ranks.device, open_images(IMAGES)
    keys = {name: f"gan.variants.{params.variant}.{name}" for name in params.settings}
    settings = checked(SETTINGS[params.variant], params.settings, keys).model_dump()
    torch.manual_seed(seed)
    variant = build_variant(
        params.variant,
        image_size=params.image_size,
        channels=packed.shape[3],
        classes=len(conditions.names),
        **settings,
    )
    data = generator_data(variant, training, conditions, packed, class_name, params.image_size, device)
    precision = partial(autocast, device, params.precision, cpu_gains=True)
    given = RunInputs(data.images, data.with_each, params.train, seed, device, precision, ranks)
    run = RUNS[type(variant)](variant, given)
    return run, data.told


def training_images(params: Params, class_name: ClassName) -> tuple[pd.DataFrame, Conditions]:
    """The training images of both classes, by row, with the label that a conditional generator is told."""
    splits = read_csv(SPLITS)
    training = splits[splits["split"] == "train"].sort_values("row")
    if params.train.max_images is not None:
        training = some_of_each_class(training, params.train.max_images, derive_seed(params.seed, "max_images"))
    if params.condition_on != "target":
        told = read_csv(CONDITIONS).set_index("image_id")[params.condition_on]
        training = training.assign(**{params.condition_on: training["image_id"].map(told)})
    labels, conditions = labelled(training, params.condition_on, TARGETS[class_name])
    return training.assign(label=labels), conditions


def validation_look(
    params: Params, variant: Family, told: Told, class_name: ClassName, seed: int, device: torch.device
) -> ValidationLook:
    rows = rows_of(read_csv(SPLITS), "val", TARGETS[class_name])
    validation = at_size(open_images(IMAGES)[rows], params.image_size)
    drawn = told.draw(SAMPLES, torch.Generator().manual_seed(seed), device)
    turned = variant.turns(params.train.diff_augment)
    return ValidationLook(FeatureSpace(FEATURES, device), validation, variant, drawn, turned, seed)


def built_with(
    params: Params, class_name: ClassName, run: GeneratorRun, told: Told, conditions: Conditions
) -> dict[str, Any]:
    return {
        "variant": params.variant,
        "class": class_name,
        "settings": params.settings,
        "diff_augment": params.train.diff_augment,
        "image_size": params.image_size,
        "channels": run.images.shape[1],
        "conditions": asdict(conditions),
        "sources": told.image_ids if isinstance(told, Sources) else None,
        "parameters": sum(weights.numel() for weights in run.variant.generator.parameters()),
        "images_seen": run.images_seen,
        "chosen": run.chosen,
        "training_images": len(run.images),
    }


if __name__ == "__main__":
    run_stage(main, "class", "seed")
