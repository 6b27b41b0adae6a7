"""Command draw_translations: a trained translator in, a picture of what it makes of validation images out.

python -m pipeline.draw_translations --checkpoint data/checkpoints/gan/<class>/<seed> --out PNG [--split val]

Side by side: what is translated, the translation and, where pairs exist, the truth. Of pairs it prints PSNR and SSIM of
each channel beside those of the training images' mean, which knows nothing of the source.
"""

import argparse
import sys
from pathlib import Path

import pandas as pd
import piq
import torch
from PIL import Image
from torch import Tensor

from models.generators.families import Translator
from pipeline.checkpoints import read_built_with
from pipeline.errors import InputError
from pipeline.images import at_size, contact_sheet, open_images
from pipeline.params.classes import TARGETS
from pipeline.sources import OTHER_CLASS, read_sources
from pipeline.store import read_csv, replaced_file
from pipeline.trained_generator import TrainedGenerator
from pipeline.training.batches import as_tensor, to_uint8, to_unit_range

IMAGES = Path("data/images")
SPLITS = Path("data/splits.csv")
CPU = torch.device("cpu")
ROWS, PER_ROW = 8, 3


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--checkpoint", type=Path, required=True, metavar="DIR")
    parser.add_argument("--out", type=Path, required=True, metavar="PNG")
    parser.add_argument("--split", choices=("train", "val", "test"), default="val")
    given = parser.parse_args()
    try:
        print(draw_translations(given.checkpoint, given.out, given.split))
    except (InputError, OSError) as error:
        sys.exit(f"draw_translations: {error}")


def draw_translations(checkpoint: Path, out: Path, split: str) -> str:
    """Writes the picture; returns a table of what pairs say, or how many images there are without a truth.

    Raises:
        InputError: if the checkpoint is no translator's.
    """
    generator, built = TrainedGenerator(checkpoint, CPU), read_built_with(checkpoint)
    variant = generator.variant
    if not isinstance(variant, Translator):
        raise InputError(f"{checkpoint} is a {built['variant']}, which translates nothing; give a translator's folder")
    splits, target = read_csv(SPLITS), TARGETS[built["class"]]
    of_class = (splits["target"] == target) != (variant.sources == OTHER_CLASS)
    told = splits[(splits["split"] == split) & of_class].sort_values("row")
    sources = read_sources(variant.sources, told["image_id"].tolist(), built["image_size"], CPU)
    given = to_unit_range(sources.images)
    rng = torch.Generator().manual_seed(0)
    drawn = torch.cat([variant.sample(batch, rng) for batch in given.split(64)])
    shown = [given, drawn]
    if variant.paired:
        truth, training = (
            packed_images(splits, ids, built["image_size"]) for ids in (sources.image_ids, built["sources"])
        )
        shown.append(truth)
    cells = torch.stack([batch.expand(-1, drawn.shape[1], -1, -1) for batch in shown], dim=1)[: ROWS * PER_ROW]
    with replaced_file(out) as partial:
        sheet = contact_sheet(to_uint8(cells.flatten(0, 1)), len(shown) * PER_ROW, ROWS)
        enlarged = sheet.resize((2 * sheet.width, 2 * sheet.height), Image.Resampling.NEAREST)
        enlarged.save(partial, format="PNG")
    return comparison(drawn, truth, training) if variant.paired else f"{len(drawn)} images; no truth to compare with"


def packed_images(splits: pd.DataFrame, image_ids: list[str], size: int) -> Tensor:
    rows = splits.set_index("image_id").loc[image_ids, "row"].to_numpy()
    return to_unit_range(as_tensor(at_size(open_images(IMAGES)[rows], size), CPU))


def comparison(drawn: Tensor, truth: Tensor, training: Tensor) -> str:
    """PSNR (dB) and SSIM of each channel with the truth, means over images (N, C, H, W) in [-1, 1]."""
    mean = training.mean(dim=0, keepdim=True).expand_as(truth)
    lines = [f"{len(drawn)} images", "channel  PSNR  of the mean   SSIM  of the mean"]
    for channel in range(drawn.shape[1]):
        real = (truth[:, [channel]] + 1) / 2
        measured = [
            float(measure((images[:, [channel]].clamp(-1, 1) + 1) / 2, real, reduction="none").mean())
            for measure in (piq.psnr, piq.ssim)
            for images in (drawn, mean)
        ]
        psnr, psnr_of_mean, ssim, ssim_of_mean = measured
        lines.append(f"{channel:7d} {psnr:5.1f} {psnr_of_mean:12.1f} {ssim:6.3f} {ssim_of_mean:12.3f}")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
