"""The search for copies: changed ones are found again, other images of the same kind are not taken for copies."""

import io
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from PIL import Image, ImageFilter

from pipeline.copies import COARSE, FINE, RANK, References, _cropped, _resizing
from pipeline.decoding import Geometry, Task, decode
from pipeline.images import open_images
from pipeline.registration import TURNS
from tests.sources import packed_phantom

ROOT = Path(__file__).parent.parent
GATE = 0.6  # synthesize.copy_likeness
HALF = 250  # of the photographs are known
RNG = np.random.default_rng(0)


def cropped(picture: Image.Image) -> Image.Image:
    lost = RNG.uniform(0.02, 0.10)
    left, top = RNG.uniform(0, lost, 2) * picture.width
    kept = picture.width * (1 - lost)
    return picture.resize(picture.size, Image.Resampling.BICUBIC, box=(left, top, left + kept, top + kept))


def blurred(picture: Image.Image) -> Image.Image:
    return picture.filter(ImageFilter.GaussianBlur(RNG.uniform(0.5, 1.5) * picture.width / 64))


def recoloured(picture: Image.Image) -> Image.Image:
    shifted = np.asarray(picture) * RNG.uniform(0.85, 1.15, 3) + RNG.uniform(-20, 20, 3)
    return Image.fromarray(shifted.clip(0, 255).astype(np.uint8))


def encoded(picture: Image.Image) -> Image.Image:
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=int(RNG.integers(40, 80)))
    return Image.open(buffer).convert("RGB")


def turned(picture: Image.Image) -> Image.Image:
    turn = list(TURNS.values())[RNG.integers(len(TURNS))]
    return Image.fromarray(np.ascontiguousarray(turn(np.asarray(picture)[None])[0]))


def everything(picture: Image.Image) -> Image.Image:
    return turned(encoded(recoloured(blurred(cropped(picture)))))


CHANGES = (cropped, blurred, recoloured, encoded, turned, everything)


@pytest.fixture(scope="module")
def photographs(tmp_path_factory: pytest.TempPathFactory) -> np.ndarray:
    """One photograph of each lesion of the phantom, (N, 64, 64, 3)."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("copies"))
        params = yaml.safe_load((ROOT / "params.yaml").read_text())
        params["phantom"] |= {"images": 1000, "duplicate": 0.0, "near_duplicate": 0.0}
        Path("params.yaml").write_text(yaml.safe_dump(params))
        packed_phantom()
        manifest = pd.read_csv("data/images/manifest.csv").merge(pd.read_csv("data/reduced.csv"), on="image_id")
        return open_images(Path("data/images"))[manifest.drop_duplicates("lesion_id")["row"].to_numpy()]


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_changed_copies_are_found_and_named(change, photographs: np.ndarray) -> None:
    known = photographs[:HALF]
    copied = RNG.choice(HALF, 150, replace=False)
    copies = np.stack([np.asarray(change(Image.fromarray(known[index]))) for index in copied])
    likeness, nearest = References(known).likeness(copies)
    assert np.mean(likeness >= GATE) >= 0.97
    assert np.mean(nearest == copied) >= 0.99


def test_other_images_are_no_copies(photographs: np.ndarray) -> None:
    likeness, _ = References(photographs[:HALF]).likeness(photographs[HALF:])
    assert np.mean(likeness >= GATE) <= 0.01


@pytest.fixture(scope="module")
def dermoscopy() -> np.ndarray:
    """The middle of real photographs, (N, 64, 64, 3)."""
    files = sorted((ROOT / "data/raw/isic2017/images").glob("*.jpg"))
    if not files:
        pytest.skip("ISIC 2017 is not linked under data/raw")
    pixels = [decode(Task(file, (), Geometry(64, 3, "crop"))).pixels for file in files]
    return np.stack([each for each in pixels if each is not None])


@pytest.mark.proof
def test_changed_copies_of_real_photographs_are_found_and_others_are_not(dermoscopy: np.ndarray) -> None:
    """Some of the unknown are second photographs of known lesions, and count as false alarms here all the same."""
    order = np.random.default_rng(1).permutation(len(dermoscopy))
    known, unknown = dermoscopy[order[:1000]], dermoscopy[order[1000:2000]]
    references = References(known)
    alarms = float(np.mean(references.likeness(unknown)[0] >= GATE))
    print(f"false alarms {alarms:.3%}")
    for change in CHANGES:
        copies = np.stack([np.asarray(change(Image.fromarray(image))) for image in known])
        likeness, nearest = references.likeness(copies)
        found = float(np.mean((likeness >= GATE) & (nearest == np.arange(len(known)))))
        print(f"{change.__name__}: {found:.3%} found")
        assert found >= 0.99
    assert alarms <= 0.015


def test_blur_alone_makes_no_copy(photographs: np.ndarray) -> None:
    """A plain correlation rises with every blur, as smooth images are alike."""
    smooth = np.stack(
        [np.asarray(Image.fromarray(image).filter(ImageFilter.GaussianBlur(6))) for image in photographs[HALF:]]
    )
    likeness, _ = References(photographs[:HALF]).likeness(smooth)
    assert np.mean(likeness >= GATE) <= 0.01


def test_flat_images_are_like_nothing(photographs: np.ndarray) -> None:
    flat = np.full((3, 64, 64, 3), 120, dtype=np.uint8)
    likeness, _ = References(photographs[:50]).likeness(flat)
    assert likeness == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("size", [16, 32, 128])
def test_sizes_and_channels(channels: int, size: int) -> None:
    known = RNG.integers(0, 256, (20, size, size, channels), dtype=np.uint8)
    likeness, nearest = References(known).likeness(known[[4, 7]])
    assert likeness == pytest.approx(1, abs=1e-3)
    assert nearest.tolist() == [4, 7]


def test_few_references_are_enough() -> None:
    known = RNG.integers(0, 256, (RANK, 32, 32, 3), dtype=np.uint8)
    for count in (1, 2, RANK):
        likeness, nearest = References(known[:count]).likeness(known[:1])
        assert (likeness[0], nearest[0]) == (pytest.approx(1, abs=1e-3), 0)


def test_copies_of_copies_among_the_references_do_not_hide_a_copy() -> None:
    known = RNG.integers(0, 256, (30, 32, 32, 3), dtype=np.uint8)
    known[1:RANK] = known[0]
    assert References(known).likeness(known[:1])[0] > GATE


def test_the_two_small_matrices_are_a_resize() -> None:
    gray = RNG.integers(0, 256, (FINE, FINE)).astype(np.float32)
    for top, left, size in ((0, 0, 1), (0.03, 0.06, 0.91)):
        box = (left * FINE, top * FINE, (left + size) * FINE, (top + size) * FINE)
        expected = Image.fromarray(gray).resize((COARSE, COARSE), Image.Resampling.BICUBIC, box=box)
        assert _cropped(gray[None], top, left, size)[0] == pytest.approx(np.asarray(expected), abs=0.01)
    assert _resizing(0, 1).sum(axis=1) == pytest.approx(1)
