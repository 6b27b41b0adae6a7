"""How fast `prepare` decodes photographs of 3000x2000 pixels, beside a plain Pillow loop over the same files.

python -m benchmarks.prepare [--images 240] [--size 128] [--rounds 3]: both ways in turn, the median of the rounds.
"""

import argparse
import contextlib
import os
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from PIL import Image

from pipeline.images import ARRAY
from pipeline.packing import Files, Folders, pack
from pipeline.params.image import ImageParams

WIDTH, HEIGHT = 3000, 2000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=240)
    parser.add_argument("--size", type=int, default=128)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    with TemporaryDirectory() as folder, contextlib.chdir(folder):
        files = write_photographs(Path("photographs"), given.images)
        plain_rates, ours_rates = [], []
        for _ in range(given.rounds):
            start = perf_counter()
            plain = plain_loop(files, given.size)
            plain_rates.append(len(files) / (perf_counter() - start))
            start = perf_counter()
            ours = prepared(files, given.size)
            ours_rates.append(len(files) / (perf_counter() - start))
    print(f"{len(files)} JPEGs of {WIDTH}x{HEIGHT} to {given.size} px, {os.cpu_count()} cores, {given.rounds} rounds")
    print(f"plain loop {median(plain_rates):.1f} images/s, prepare {median(ours_rates):.1f} images/s")
    ratios = sorted(ours / plain for ours, plain in zip(ours_rates, plain_rates, strict=True))
    print(f"ratio {median(ratios):.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f})")
    difference = abs(ours.astype(int) - plain)
    print(f"difference: mean {difference.mean():.2f} of 255, 99.9th percentile {np.percentile(difference, 99.9):.0f}")


def write_photographs(folder: Path, count: int) -> list[Path]:
    folder.mkdir()
    files = [folder / f"{number:04d}.jpg" for number in range(count)]
    for number, file in enumerate(files):
        blotches(np.random.default_rng(number)).save(file, quality=92)
    return files


def blotches(rng: np.random.Generator, width: int = WIDTH, height: int = HEIGHT) -> Image.Image:
    """Blotches of every size down to the grain of a sensor: about 2 MB as a JPEG, as a camera's photographs are."""
    picture = rng.normal(128, 4, (height, width, 3))
    for cells in (4, 16, 64, 256):
        noise = Image.fromarray(rng.integers(0, 256, (cells, cells, 3), dtype=np.uint8))
        large = np.asarray(noise.resize((width, height), Image.Resampling.BICUBIC), dtype=np.float32)
        picture += (large - 128) / np.sqrt(cells)
    return Image.fromarray(np.clip(picture, 0, 255).astype(np.uint8))


def plain_loop(files: list[Path], size: int) -> NDArray[np.uint8]:
    """What a tutorial does: open, convert, crop the centre, resize, one after the other."""
    left = (WIDTH - HEIGHT) // 2
    packed = []
    for file in files:
        image = Image.open(file).convert("RGB").crop((left, 0, left + HEIGHT, HEIGHT))
        packed.append(np.asarray(image.resize((size, size), Image.Resampling.BICUBIC)))
    return np.stack(packed)


def prepared(files: list[Path], size: int) -> NDArray[np.uint8]:
    table = pd.DataFrame(
        {"image_id": [file.stem for file in files], "file": [file.name for file in files], "sha256": "", "dataset": ""}
    )
    image = ImageParams(size=size, channels=3, fit="crop", max_unreadable=0)
    packed = Files(image, {"": Folders("", str(files[0].parent), None)})
    with TemporaryDirectory() as folder:
        pack(table, packed, Path(folder))
        return np.load(Path(folder) / ARRAY)


if __name__ == "__main__":
    main()
