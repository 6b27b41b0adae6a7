"""Stage synthesize: a trained generator and its training images in, packed synthetic images without copies out."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from pydantic import Field

from pipeline.compute import take_device
from pipeline.copies import References
from pipeline.errors import InputError
from pipeline.images import ARRAY, contact_sheet, open_images, rows_of
from pipeline.params.classes import ClassName
from pipeline.params.reader import StageParams, read_params
from pipeline.params.synthesize import SynthesizeParams
from pipeline.progress import progress_bar
from pipeline.seeding import derive_seed
from pipeline.stage import run_stage
from pipeline.store import read_csv, replaced_directory, replaced_file, write_csv
from pipeline.trained_generator import TrainedGenerator

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
    threads: int = Field(alias="compute.threads")


def main(class_name: ClassName, gan_seed: str) -> None:
    params = read_params(Params)
    generator = TrainedGenerator(CHECKPOINTS / class_name / gan_seed, take_device(params.threads))
    splits = read_csv(SPLITS)
    rows = rows_of(splits, "train")  # of both classes: some generators are trained on both, or translate the other
    training = References(open_images(IMAGES)[rows])
    rng = torch.Generator().manual_seed(derive_seed(params.seed, "synthesize", class_name, gan_seed))
    images, manifest = draw(lambda count: generator.draw(count, rng), params.synthesize, training)
    names = splits.sort_values("row")["image_id"].to_numpy()[rows]  # a row for every packed image
    manifest["nearest_image_id"] = names[manifest.pop("nearest")]
    with replaced_directory(SYNTHETIC / class_name / gan_seed) as directory:
        np.save(directory / ARRAY, images)
        write_csv(directory / MANIFEST, manifest)
    with replaced_file(SAMPLES / f"{class_name}_{gan_seed}.png") as partial:
        contact_sheet(images, *GRID).save(partial, format="PNG")


def draw(
    sample: Callable[[int], NDArray[np.uint8]], params: SynthesizeParams, training: References
) -> tuple[NDArray[np.uint8], pd.DataFrame]:
    """Draws until ``count`` images are none of them a copy of a training image.

    Args:
        sample: draws as many images as it is told, (N, H, W, C), or fewer where no more were made.
        training: the training images.

    Returns: the images (count, H, W, C), and a row for every image drawn: ``row`` (empty for a dropped copy),
        ``nearest`` (index into ``training``), ``likeness``, ``copy``.

    Raises:
        InputError: if too many are copies.
    """
    kept, tables, found = [], [], 0
    batches = range(0, MAX_DRAWS * params.count, params.batch_size)
    with progress_bar("synthesize", params.count, "images") as bar:
        for _ in batches:
            images = sample(params.batch_size)
            if not len(images):
                break
            likeness, nearest = training.likeness(images)
            copy = likeness >= params.copy_likeness
            new = np.flatnonzero(~copy)[: params.count - found]
            last = new[-1] + 1 if found + len(new) == params.count else len(images)
            row = pd.array([pd.NA] * last, dtype="Int64")
            row[new] = np.arange(found, found + len(new))
            tables.append(
                pd.DataFrame({"row": row, "nearest": nearest[:last], "likeness": likeness[:last], "copy": copy[:last]})
            )
            kept.append(images[new])
            found += len(new)
            bar.update(len(new))
            if found == params.count:
                return np.concatenate(kept), pd.concat(tables, ignore_index=True)
    drawn = sum(len(table) for table in tables)
    no_more = drawn < len(batches) * params.batch_size
    remedy = "give more images" if no_more else "the generator copies: train it for less long"
    raise InputError(
        f"of {drawn} images drawn only {found} stay below synthesize.copy_likeness {params.copy_likeness:g} to every "
        f"training image and {params.count} are wanted; "
        f"{remedy}, or lower synthesize.count"
    )


if __name__ == "__main__":
    run_stage(main, "class", "seed")
