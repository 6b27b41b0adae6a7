"""Command sample: a trained generator in, PNGs out.

python -m pipeline.sample --checkpoint data/checkpoints/gan/<class>/<seed> --count 100 --out DIR [--seed 0]
"""

import argparse
import sys
from pathlib import Path

import torch
from PIL import Image

from pipeline.errors import InputError
from pipeline.progress import progress_bar
from pipeline.trained_generator import TrainedGenerator

BATCH_SIZE = 64  # always drawn whole, so that image 7 is the same whatever the count


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--checkpoint", type=Path, required=True, metavar="DIR")
    parser.add_argument("--count", type=int, required=True)
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="a new or empty folder")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    try:
        write_samples(given.checkpoint, given.count, given.out, given.seed)
    except (InputError, OSError) as error:
        sys.exit(f"sample: {error}")


def write_samples(checkpoint: Path, count: int, out: Path, seed: int) -> None:
    """Writes 00000.png and so on.

    Raises:
        InputError: if the checkpoint holds no generator, the count is below 1, the folder is not empty, or there are
            fewer images, made elsewhere, than the count.
    """
    if count < 1:
        raise InputError(f"--count is {count}; give 1 or more")
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise InputError(f"--out {out} is not empty; give a new folder, so that nothing is overwritten")
    generator = TrainedGenerator(checkpoint, torch.device("cpu"))
    out.mkdir(parents=True, exist_ok=True)
    rng = torch.Generator().manual_seed(seed)
    with progress_bar("sample", count, "images") as bar:
        for start in range(0, count, BATCH_SIZE):
            wanted = min(BATCH_SIZE, count - start)
            images = generator.draw(BATCH_SIZE, rng)[:wanted]
            for number, image in enumerate(images, start):
                Image.fromarray(image.squeeze()).save(out / f"{number:05d}.png")
            bar.update(len(images))
            if len(images) < wanted:
                raise InputError(f"--count is {count}, and there are no more images than those now in {out}")


if __name__ == "__main__":
    main()
