"""Command draw_codes: a trained autoencoder in, a picture of what its codes hold out.

python -m pipeline.draw_codes --checkpoint data/checkpoints/gan/<class>/<seed> --out codes.png

Validation images of the class: given back, freed of noise, on the way from one to another, and on a map of their codes.
"""

import argparse
import sys
from pathlib import Path
from typing import cast

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.offsetbox import AnnotationBbox, OffsetImage
from numpy.typing import NDArray
from torch import Tensor

from models.generators.codes import CodeGenerator
from pipeline.checkpoints import read_built_with
from pipeline.errors import InputError
from pipeline.images import at_size, contact_sheet, open_images, rows_of
from pipeline.params.classes import TARGETS
from pipeline.store import read_csv, replaced_file
from pipeline.trained_generator import TrainedGenerator
from pipeline.training.batches import as_tensor, to_uint8, to_unit_range

IMAGES = Path("data/images")
SPLITS = Path("data/splits.csv")
COLUMNS = 10
WAYS = (0, 2, 4)  # from the image of this index to the next
FEWEST = WAYS[-1] + 2
NOISE = 0.3  # standard deviation, of images in [-1, 1]
ON_THE_MAP = 150


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--checkpoint", type=Path, required=True, metavar="DIR")
    parser.add_argument("--out", type=Path, required=True, metavar="PNG")
    given = parser.parse_args()
    try:
        draw_codes(given.checkpoint, given.out)
    except (InputError, OSError) as error:
        sys.exit(f"draw_codes: {error}")


def draw_codes(checkpoint: Path, out: Path) -> None:
    """Writes the picture.

    Raises:
        InputError: if the checkpoint is no autoencoder's, or there are too few validation images.
    """
    generator = TrainedGenerator(checkpoint, torch.device("cpu")).variant.generator
    if not isinstance(generator, CodeGenerator):
        variant = read_built_with(checkpoint)["variant"]
        raise InputError(f"{checkpoint} is a {variant}, which has no codes; give an autoencoder's folder")
    built = read_built_with(checkpoint)
    rows = rows_of(read_csv(SPLITS), "val", TARGETS[built["class"]])
    if len(rows) < FEWEST:
        raise InputError(f"{SPLITS} has {len(rows)} validation images of the class and {FEWEST} are drawn; give more")
    packed = at_size(open_images(IMAGES)[rows[:ON_THE_MAP]], built["image_size"])
    images = to_unit_range(as_tensor(packed, torch.device("cpu")))
    with replaced_file(out) as partial:
        picture(generator, images).savefig(partial, format="png")


@torch.no_grad()
def picture(generator: CodeGenerator, images: Tensor) -> Figure:
    """Args: images: (N, C, H, W) in [-1, 1]."""
    codes = generator.encode(images)
    shown = images[:COLUMNS]
    noisy = shown + NOISE * torch.randn(shown.shape, generator=torch.Generator().manual_seed(0))
    restored, freed = (generator.decode(generator.encode(each)) for each in (shown, noisy))
    steps = torch.linspace(0, 1, len(shown))[:, None]
    ways = [generator.decode(codes[one] + steps * (codes[one + 1] - codes[one])) for one in WAYS]
    rows = {
        f"given back, PSNR {psnr(restored, shown):.1f} dB, below the images": [shown, restored],
        f"freed of noise: from PSNR {psnr(noisy, shown):.1f} to {psnr(freed, shown):.1f} dB": [noisy, freed],
        "on the way from one code to another": ways,
    }
    figure = Figure(figsize=(11, 18), layout="constrained")
    axes = figure.subplots(4, 1, height_ratios=(2, 2, 3, 8))
    for sheet, (title, batches) in zip(axes, rows.items(), strict=False):
        pixels = np.concatenate([to_uint8(batch.clamp(-1, 1)) for batch in batches])
        sheet.imshow(np.asarray(contact_sheet(pixels, len(shown), len(batches))), cmap="gray")
        sheet.set_title(title, loc="left")
        sheet.set_axis_off()
    _map(axes[3], codes.double().numpy(), to_uint8(images))
    return figure


def _map(axes: Axes, codes: NDArray[np.float64], pixels: NDArray[np.uint8]) -> None:
    """Each image at the first two principal components of its code."""
    centred = codes - codes.mean(axis=0)
    _, lengths, directions = np.linalg.svd(centred, full_matrices=False)
    places = centred @ directions[:2].T
    for place, image in zip(places, pixels, strict=True):
        thumbnail = OffsetImage(image.squeeze(), zoom=32 / len(image), cmap="gray")
        axes.add_artist(AnnotationBbox(thumbnail, cast(tuple[float, float], tuple(place)), frameon=False))
    axes.update_datalim(places)
    axes.margins(0.06)
    axes.autoscale_view()
    share = (lengths[:2] ** 2).sum() / (lengths**2).sum()
    axes.set_title(f"codes of {len(codes)} images: two principal components, {share:.0%} of the variance", loc="left")


def psnr(images: Tensor, references: Tensor) -> float:
    """Of pixels in [-1, 1], whose range is 2; dB, the mean over images."""
    errors = (images.clamp(-1, 1) - references).square().flatten(1).mean(dim=1)
    return float((10 * torch.log10(4 / errors)).mean())


if __name__ == "__main__":
    main()
