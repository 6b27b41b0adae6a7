"""What is wrong with some records of a real archive: which kinds there are, and which records get them."""

import math
from collections.abc import Mapping
from typing import Literal, NamedTuple

import numpy as np

Fault = Literal[
    "",
    "duplicate",
    "near_duplicate",
    "unreadable",
    "other_format",
    "colour_mode",
    "exif_orientation",
    "unlabelled",
    "indeterminate",
    "synthetic",
    "non_dermoscopic",
]

# The variants of every fault, planted in turn
VARIANTS: dict[Fault, tuple[str, ...]] = {
    "duplicate": ("same file",),
    "near_duplicate": (
        *("recompressed", "flipped left to right", "rotated by 90", "halved", "squashed to 1:1"),
        *("recompressed", "flipped top to bottom", "rotated by 180", "halved", "squashed to 3:2"),
        *("recompressed", "flipped left to right", "rotated by 270", "halved", "squashed to 16:9"),
    ),
    "unreadable": ("truncated", "empty", "web page"),
    "other_format": ("PNG", "BMP", "TIFF", "WEBP"),  # in a file that says .jpg
    "colour_mode": ("CMYK", "RGBA", "16-bit gray", "gray"),
    "exif_orientation": ("2", "3", "4", "5", "6", "7", "8"),
    "unlabelled": ("no label",),
    "indeterminate": ("indeterminate label",),
    "synthetic": ("marked synthetic",),
    "non_dermoscopic": ("clinical: close-up", "TBP tile: close-up"),
}
COPIES: tuple[Fault, ...] = ("duplicate", "near_duplicate")


class Flaw(NamedTuple):
    """One record's fault and its variant, both empty for a clean record."""

    fault: Fault = ""
    variant: str = ""


def draw_flaws(images: int, rates: Mapping[Fault, float], generator: np.random.Generator) -> dict[int, Flaw]:
    """The flaw of each number from 1 to ``images``; at most one each.

    Args:
        rates: share of all records, for each fault; their sum is at most 1.
    """
    flaws = dict.fromkeys(range(1, images + 1), Flaw())
    order = [int(number) for number in generator.permutation(images) + 1]
    for fault, variants in VARIANTS.items():
        for rank in range(math.floor(rates[fault] * images + 1e-9)):  # 0.29 * 100 is 28.999...
            flaws[order.pop()] = Flaw(fault, variants[rank % len(variants)])
    return flaws
