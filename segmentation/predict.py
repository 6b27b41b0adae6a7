"""Command predict: image files in; of each a mask as large as the image, and a picture of what was seen, outlined, out.

python -m segmentation.predict --checkpoint data/segmentation/checkpoints/models/<architecture>-<loss>/<seed> IMAGE...
"""

import argparse
import csv
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import ExifTags, Image
from scipy.ndimage import binary_erosion
from torch import nn
from torch.nn import functional as F

from models.segmenters import build_segmenter
from pipeline.checkpoints import load_weights, read_built_with
from pipeline.decoding import Geometry, Task, decode
from pipeline.errors import InputError
from pipeline.metrics.segmentation import Masks
from pipeline.store import replaced_file
from pipeline.training.batches import as_tensor, to_unit_range

NETWORK = ("architecture", "channels", "features", "geometry")
OVERLAY = 512  # px, both sides at the most
COLOUR = (0, 230, 160)
SIDEWAYS = (5, 6, 7, 8)  # EXIF orientations that swap width and height


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--checkpoint", type=Path, required=True, metavar="DIR")
    parser.add_argument("--out", type=Path, default=Path("masks"), metavar="DIR", help="default: masks")
    parser.add_argument("images", type=Path, nargs="+", metavar="IMAGE")
    given = parser.parse_args()
    try:
        refused = predict_files(given.checkpoint, given.images, given.out)
    except (InputError, OSError) as error:
        sys.exit(f"predict: {error}")
    sys.exit(1 if refused else 0)


def predict_files(checkpoint: Path, files: Sequence[Path], out: Path) -> list[Path]:
    """Writes ``<name>_mask.png`` and ``<name>_overlay.png`` for each file; prints how much of it the mask covers.

    Returns: the files that are no images; each is a line on stderr.

    Raises:
        InputError: if the checkpoint holds no segmenter, or two files have the same name.
    """
    name, count = Counter(file.stem for file in files).most_common(1)[0]
    if count > 1:
        raise InputError(f"{count} files are named {name}, and their masks would be one file; give them one by one")
    network, built_with = read_segmenter(checkpoint)
    geometry = Geometry(**built_with["geometry"])
    table = csv.writer(sys.stdout, lineterminator="\n")
    table.writerow(["file", "mask_share"])
    refused = []
    for file in files:
        decoded = decode(Task(file, (), geometry))
        if decoded.pixels is None:
            print(f"predict: {file}: {decoded.reason}", file=sys.stderr)
            refused.append(file)
            continue
        logits = logits_of(network, decoded.pixels)
        mask = placed(logits, upright_size(file), geometry.fit)
        save(out / f"{file.stem}_mask.png", np.where(mask, 255, 0).astype(np.uint8))
        save(out / f"{file.stem}_overlay.png", overlay(file, logits, geometry))
        table.writerow([file, f"{mask.mean():.4f}"])
    return refused


def read_segmenter(checkpoint: Path) -> tuple[nn.Module, dict[str, Any]]:
    """In eval mode, and what it was built with. Raises InputError if the folder holds no segmenter of this version."""
    built_with = read_built_with(checkpoint)
    absent = [key for key in NETWORK if key not in built_with]
    if absent:
        raise InputError(
            f"{checkpoint} has no {absent[0]}, so it is no segmenter's; "
            "give data/segmentation/checkpoints/models/<architecture>-<loss>/<seed>"
        )
    network = build_segmenter(built_with["architecture"], built_with["channels"], features=built_with["features"])
    load_weights(checkpoint, network)
    return network.eval(), built_with


@torch.no_grad()
def logits_of(network: nn.Module, pixels: NDArray[np.uint8]) -> torch.Tensor:
    """Of one packed image (H, W, C), (H, W)."""
    return network(to_unit_range(as_tensor(pixels[np.newaxis], torch.device("cpu"))))[0]


def enlarged(logits: torch.Tensor, height: int, width: int) -> Masks:
    return (F.interpolate(logits[None, None], (height, width), mode="bilinear") > 0)[0, 0].numpy()


def placed(logits: torch.Tensor, size: tuple[int, int], fit: str) -> Masks:
    """The mask where it lies in the upright image; outside of a centre square nothing was looked at.

    Args:
        size: width and height of the image.
    """
    width, height = size
    if fit == "squash":
        return enlarged(logits, height, width)
    side = min(size)
    top, left = (height - side) // 2, (width - side) // 2
    mask = np.zeros((height, width), dtype=bool)
    mask[top : top + side, left : left + side] = enlarged(logits, side, side)
    return mask


def upright_size(file: Path) -> tuple[int, int]:
    """Width and height, as a viewer shows it."""
    with Image.open(file) as image:
        width, height = image.size
        sideways = image.getexif().get(ExifTags.Base.Orientation, 1) in SIDEWAYS and image.format != "TIFF"
    return (height, width) if sideways else (width, height)


def overlay(file: Path, logits: torch.Tensor, geometry: Geometry) -> NDArray[np.uint8]:
    """What the network saw, larger, with the outline of its mask."""
    side = min(OVERLAY, max(min(upright_size(file)), geometry.size))
    seen = np.asarray(decode(Task(file, (), Geometry(side, 3, geometry.fit))).pixels)
    mask = enlarged(logits, side, side)
    outline = mask & ~binary_erosion(mask, iterations=max(1, side // 200))
    return np.where(outline[..., None], np.array(COLOUR, dtype=np.uint8), seen)


def save(path: Path, pixels: NDArray[np.uint8]) -> None:
    with replaced_file(path) as partial:
        Image.fromarray(pixels).save(partial, format="PNG")


if __name__ == "__main__":
    main()
