"""Stage synthesize_pairs: a generator and the training pairs in; new masks with the images drawn for them out."""

from pathlib import Path

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from pydantic import Field
from torch import Generator, Tensor

from models.generators.families import Translator
from models.pair_augment import deform
from pipeline.compute import take_threads
from pipeline.copies import References
from pipeline.errors import InputError
from pipeline.images import ARRAY, MASKS, contact_sheet
from pipeline.params.reader import StageParams, read_params
from pipeline.seeding import derive_seed
from pipeline.stage import run_stage
from pipeline.store import replaced_directory, replaced_file, write_csv
from pipeline.training.batches import to_uint8
from segmentation.packed import Pairs, pairs_of, read_splits
from segmentation.params import PARAMS, SynthesizeParams
from segmentation.translating import TRANSLATORS, as_source, read_translator

SYNTHETIC = Path("data/segmentation/synthetic")
SAMPLES = Path("reports/segmentation/samples")
MAX_DRAWS = 4  # times synthesize.count; a generator that needs more makes little else than copies
GRID = (8, 4)  # columns, rows of the sample picture: in turn a row of masks and the images drawn for them


class Params(StageParams):
    seed: int = Field(alias="seed")
    synthesize: SynthesizeParams = Field(alias="synthesize")
    threads: int = Field(alias="compute.threads")


def main(generator_seed: str) -> None:
    params = read_params(Params, PARAMS)
    take_threads(params.threads)
    training, rows = pairs_of(read_splits(), "train")
    translator = read_translator(TRANSLATORS / generator_seed)
    rng = torch.Generator().manual_seed(derive_seed(params.seed, "synthesize", generator_seed))
    drawn, manifest = draw_pairs(translator, training, params.synthesize, rng)
    names = rows["image_id"].to_numpy()
    manifest["mask_of"], manifest["nearest"] = names[manifest["mask_of"]], names[manifest["nearest"]]
    with replaced_directory(SYNTHETIC / generator_seed) as directory:
        np.save(directory / ARRAY, drawn.images)
        np.save(directory / MASKS, drawn.masks)
        write_csv(directory / "manifest.csv", manifest)
    with replaced_file(SAMPLES / f"{generator_seed}.png") as partial:
        contact_sheet(sample_rows(drawn), *GRID).save(partial, format="PNG")
    print(f"{len(drawn.images)} pairs; {int(manifest['copy'].sum())} of {len(manifest)} drawn were copies")


def draw_pairs(
    translator: Translator, training: Pairs, params: SynthesizeParams, rng: Generator
) -> tuple[Pairs, pd.DataFrame]:
    """Draws until ``count`` images are none of them a copy of a training image.

    Returns: the pairs; a row for every one drawn: ``mask_of`` and ``nearest`` (places in ``training``), ``likeness``,
        ``copy``.

    Raises:
        InputError: if too many are copies.
    """
    references = References(np.asarray(training.images))
    real_masks = torch.from_numpy(np.asarray(training.masks) > 0).float()
    kept: list[Pairs] = []
    tables: list[pd.DataFrame] = []
    while sum(len(pairs.images) for pairs in kept) < params.count:
        if len(tables) == MAX_DRAWS:
            raise InputError(
                f"of {MAX_DRAWS * params.count} images drawn fewer than synthesize.count {params.count} stay below "
                f"synthesize.copy_likeness {params.copy_likeness:g}; train the translator for less long, or raise it"
            )
        chosen = torch.randint(len(real_masks), (params.count,), generator=rng)
        pairs = drawn_for(translator, deform(real_masks[chosen], rng, params.deformation), rng)
        likeness, nearest = references.likeness(pairs.images)
        copy = likeness >= params.copy_likeness
        tables.append(pd.DataFrame({"mask_of": chosen, "nearest": nearest, "likeness": likeness, "copy": copy}))
        kept.append(Pairs(pairs.images[~copy], pairs.masks[~copy]))
    images, masks = (np.concatenate(arrays)[: params.count] for arrays in zip(*kept, strict=True))
    return Pairs(images, masks), pd.concat(tables, ignore_index=True)


def drawn_for(translator: Translator, masks: Tensor, rng: Generator) -> Pairs:
    """An image for each mask (N, H, W) of 0 and 1."""
    stored = (255 * masks).to(torch.uint8)
    images = [to_uint8(translator.sample(as_source(batch), rng)) for batch in stored.split(64)]
    return Pairs(np.concatenate(images), stored.numpy())


def sample_rows(pairs: Pairs) -> NDArray[np.uint8]:
    """The first pairs for a contact sheet: a row of masks, a row of their images, and so on."""
    columns, rows = GRID
    masks = np.repeat(pairs.masks[..., None], pairs.images.shape[3], axis=3)
    parts = [
        part[start : start + columns]
        for start in range(0, columns * rows // 2, columns)
        for part in (masks, pairs.images)
    ]
    return np.concatenate(parts)


if __name__ == "__main__":
    run_stage(main, "seed")
