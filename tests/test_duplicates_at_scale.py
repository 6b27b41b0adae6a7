"""Duplicates among 100,000 images: found again, and few strangers joined."""

import io
from functools import partial
from time import perf_counter
from typing import NamedTuple

import numpy as np
import pandas as pd
import pytest
from PIL import Image, ImageFilter

from pipeline.decoding import _thumbnail
from pipeline.dermoscopy.cohort import Record, draw_cohort
from pipeline.dermoscopy.faults import VARIANTS
from pipeline.dermoscopy.photograph import photograph
from pipeline.duplicates import duplicate_pairs
from pipeline.grouping import group_ids
from pipeline.params.split import SplitParams
from pipeline.perceptual_hash import perceptual_hash
from pipeline.processes import map_in_processes
from tests.test_perceptual_hash import TRANSPOSES, turned

PARAMS = SplitParams(train=0.6, val=0.2, test=0.2, official=False, duplicate_distance=40, duplicate_correlation=0.94)
SIZE = 48  # px, the shorter side, as a thumbnail's
COPIES = 0.1  # of all images


def encoded(picture: Image.Image, rng: np.random.Generator) -> Image.Image:
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=50)
    return Image.open(buffer).convert("RGB")


def halved(picture: Image.Image, rng: np.random.Generator) -> Image.Image:
    return picture.resize((picture.width // 2, picture.height // 2), Image.Resampling.BICUBIC)


def squashed(picture: Image.Image, rng: np.random.Generator) -> Image.Image:
    return picture.resize((picture.width * 3 // 4, picture.height), Image.Resampling.BICUBIC)


def blurred(picture: Image.Image, rng: np.random.Generator) -> Image.Image:
    return picture.filter(ImageFilter.GaussianBlur(picture.height / 64))


def relit(picture: Image.Image, rng: np.random.Generator) -> Image.Image:
    shifted = np.asarray(picture) * rng.uniform(0.85, 1.15) + rng.uniform(-20, 20)
    return Image.fromarray(shifted.clip(0, 255).astype(np.uint8))


def cropped(picture: Image.Image, rng: np.random.Generator) -> Image.Image:
    kept = np.array(picture.size) * 0.99
    left, top = rng.uniform(0, 1, 2) * (np.array(picture.size) - kept)
    return picture.resize(picture.size, Image.Resampling.BICUBIC, box=(left, top, left + kept[0], top + kept[1]))


def untouched(picture: Image.Image, rng: np.random.Generator) -> Image.Image:
    return picture


CHANGES = (untouched, encoded, halved, squashed, blurred, relit, cropped)


class Shown(NamedTuple):
    """What one image shows: a record's photograph, or a changed and turned copy of it."""

    record: Record
    change: int = -1  # in CHANGES; -1: none
    turn: str = "identity"


def draw(size: int, shown: Shown) -> tuple[str, np.ndarray]:
    """The perceptual hash and the thumbnail."""
    picture = Image.fromarray(photograph(shown.record.scene, size).image)
    if shown.change >= 0:
        picture = CHANGES[shown.change](turned(picture, shown.turn), np.random.default_rng(shown.record.number))
    return perceptual_hash(picture), _thumbnail(picture)


def archive(images: int) -> list[Shown]:
    """Photographs, and at the end copies of the first of them: every change in every turn."""
    copies = int(images * COPIES)
    records = draw_cohort(images - copies, 0.25, dict.fromkeys(VARIANTS, 0.0), seed=0)
    turns = list(TRANSPOSES)
    planted = [
        Shown(record, number % len(CHANGES), turns[number // len(CHANGES) % len(turns)])
        for number, record in enumerate(records[:copies])
    ]
    return [*map(Shown, records), *planted]


@pytest.mark.parametrize("images", [2000, pytest.param(100_000, marks=pytest.mark.proof)])
def test_planted_copies_are_found_among_many_and_few_strangers_joined(images: int) -> None:
    """The phantom's photographs, each lesion once to three times; a tenth of all images are copies.

    A copy is turned in one of the eight ways of a square, and re-encoded as a JPEG of quality 50, halved, squashed to
    3:4, blurred by 0.75 px, its light and contrast changed by up to 8 and 15 %, cropped by 1 % of each side, or nothing
    of these. A false alarm is an image that is joined, if by way of others, with one of another lesion.
    """
    shown = archive(images)
    drawn = list(map_in_processes(partial(draw, SIZE), shown, images // 1000))
    hashes, thumbnails = [code for code, _ in drawn], np.stack([thumbnail for _, thumbnail in drawn])
    names = pd.Series([f"I{number:06d}" for number in range(images)])
    table = pd.DataFrame({"image_id": names, "row": range(images), "target": 0, "sha256": names, "phash": hashes})
    start = perf_counter()
    pairs = duplicate_pairs(table, thumbnails, PARAMS)
    group = group_ids(names, [], pairs[["first_row", "second_row"]].to_numpy()).to_numpy()
    seconds = perf_counter() - start

    originals = images - int(images * COPIES)
    planted = pd.DataFrame({"change": [CHANGES[each.change].__name__ for each in shown[originals:]]})
    planted["found"] = group[originals:] == group[: images - originals]
    lesion = pd.Series([each.record.lesion.key for each in shown])
    alarms = float((lesion.groupby(group).transform("nunique") > 1).mean())
    print(f"{images} images in {seconds:.0f} s: {planted['found'].mean():.3%} found, {alarms:.4%} false alarms")
    print(planted.groupby("change")["found"].mean().map("{:.3%}".format).to_dict())
    assert planted["found"].mean() >= 0.99
    assert planted.groupby("change")["found"].mean().min() >= 0.98
    assert alarms <= 0.001
