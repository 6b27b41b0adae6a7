"""Stage synthesize: a trained generator and its training images in, packed synthetic images without copies out."""

from pathlib import Path

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from pydantic import Field

from models.augment import Augmentation, symmetries
from models.generators import build_variant
from models.generators.families import Adversarial
from pipeline.checkpoints import load_weights, read_built_with
from pipeline.compute import read_device
from pipeline.errors import InputError
from pipeline.images import ARRAY, at_size, contact_sheet, open_images, rows_of
from pipeline.metrics.copies import COPY_SIZE, nearest_distance
from pipeline.params.classes import TARGETS, ClassName
from pipeline.params.reader import StageParams, read_params
from pipeline.params.synthesize import SynthesizeParams
from pipeline.progress import progress_bar
from pipeline.seeding import derive_seed
from pipeline.stage import run_stage
from pipeline.store import read_csv, replaced_directory, replaced_file, write_csv
from pipeline.training.batches import to_uint8

CHECKPOINTS = Path("data/checkpoints/gan")
IMAGES = Path("data/images")
SPLITS = Path("data/splits.csv")
SYNTHETIC = Path("data/synthetic")
SAMPLES = Path("reports/samples")
MANIFEST = "manifest.csv"
MAX_DRAWS = 4  # times synthesize.count; a generator that needs more makes little else than copies
GRID = (10, 6)  # columns, rows of the sample picture


class Params(StageParams):
    seed: int = Field(alias="seed")
    synthesize: SynthesizeParams = Field(alias="synthesize")


def main(class_name: ClassName, gan_seed: str) -> None:
    params = read_params(Params)
    (variant, turned), device = load_generator(CHECKPOINTS / class_name / gan_seed), read_device()
    splits = read_csv(SPLITS)
    rows = rows_of(splits, "train", TARGETS[class_name])
    training = at_size(open_images(IMAGES)[rows], COPY_SIZE)
    rng = torch.Generator().manual_seed(derive_seed(params.seed, "synthesize", class_name, gan_seed))
    images, manifest = draw(variant, turned, TARGETS[class_name], params.synthesize, training, rng, device)
    names = splits.sort_values("row")["image_id"].to_numpy()[rows]  # a row for every packed image
    manifest["nearest_image_id"] = names[manifest.pop("nearest")]
    with replaced_directory(SYNTHETIC / class_name / gan_seed) as directory:
        np.save(directory / ARRAY, images)
        write_csv(directory / MANIFEST, manifest)
    with replaced_file(SAMPLES / f"{class_name}_{gan_seed}.png") as partial:
        contact_sheet(images, *GRID).save(partial, format="PNG")


def load_generator(directory: Path) -> tuple[Adversarial, Augmentation]:
    """The generator of a checkpoint directory, in eval mode, and how its images are turned as they are drawn."""
    built = read_built_with(directory)
    variant = build_variant(
        built["variant"], image_size=built["image_size"], channels=built["channels"], **built["settings"]
    )
    load_weights(directory, variant.generator)
    variant.generator.eval()
    return variant, symmetries(built["diff_augment"])


def draw(
    variant: Adversarial,
    turned: Augmentation,
    target: int,
    params: SynthesizeParams,
    training: NDArray[np.uint8],
    rng: torch.Generator,
    device: torch.device,
) -> tuple[NDArray[np.uint8], pd.DataFrame]:
    """Draws until ``count`` images are none of them a copy of a training image.

    Args:
        training: the class's training images at COPY_SIZE, (N, 16, 16, C).
        rng: on the CPU, so that every device draws the same latents.

    Returns: the images (count, H, W, C), and a row for every image drawn: ``row`` (empty for a dropped copy),
        ``nearest`` (index into ``training``), ``distance``, ``copy``.

    Raises:
        InputError: if too many are copies.
    """
    variant.generator.to(device)
    kept, tables, found = [], [], 0
    batches = range(0, MAX_DRAWS * params.count, params.batch_size)
    with progress_bar("synthesize", params.count, "images") as bar:
        for _ in batches:
            labels = torch.full((params.batch_size,), target, device=device)
            images = to_uint8(turned(variant.sample(labels, rng), rng))
            distance, nearest = nearest_distance(at_size(images, COPY_SIZE), training)
            copy = distance < params.copy_distance
            new = np.flatnonzero(~copy)[: params.count - found]
            last = new[-1] + 1 if found + len(new) == params.count else len(images)
            row = pd.array([pd.NA] * last, dtype="Int64")
            row[new] = np.arange(found, found + len(new))
            tables.append(
                pd.DataFrame({"row": row, "nearest": nearest[:last], "distance": distance[:last], "copy": copy[:last]})
            )
            kept.append(images[new])
            found += len(new)
            bar.update(len(new))
            if found == params.count:
                return np.concatenate(kept), pd.concat(tables, ignore_index=True)
    raise InputError(
        f"of {len(batches) * params.batch_size} images drawn only {found} lie at least synthesize.copy_distance "
        f"{params.copy_distance:g} from every training image and {params.count} are wanted; the generator copies: "
        "train it for less long, or lower synthesize.count"
    )


if __name__ == "__main__":
    run_stage(main, "class", "seed")
