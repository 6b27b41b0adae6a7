"""What a translator translates: training images' masks, one of their channels, or the other class's images."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Generator, Tensor

from pipeline.errors import InputError
from pipeline.images import MASKS, at_size, open_images
from pipeline.store import read_csv
from pipeline.training.batches import to_unit_range, where_room_is

IMAGES = Path("data/images")
SPLITS = Path("data/splits.csv")
OTHER_CLASS = "other_class"  # images themselves; of the class that the generator is not to draw


@dataclass(frozen=True)
class Sources:
    """Images to be translated.

    Attributes:
        image_ids: of the packed images that they come from.
        images: (M, S, H, W) uint8.
    """

    image_ids: list[str]
    images: Tensor

    def draw(self, count: int, rng: Generator, device: torch.device) -> Tensor:
        """Random ones, (count, S, H, W) in [-1, 1]."""
        chosen = torch.randint(len(self.images), (count,), generator=rng)
        return to_unit_range(self.images[chosen.to(self.images.device)]).to(device)


def read_sources(kind: str, image_ids: Sequence[str], image_size: int, device: torch.device) -> Sources:
    """What is to be translated of the given packed images; those of which there is no mask are left out.

    Args:
        kind: masks | channel_0 | channel_1 | channel_2 | other_class, as in a translator's settings.

    Raises:
        InputError: if an image is not among the packed ones, or none has a mask.
    """
    rows = read_csv(SPLITS).set_index("image_id")["row"]
    unknown = [name for name in image_ids if name not in rows.index]
    if unknown:
        raise InputError(f"the generator translates {unknown[0]}, which is not in {SPLITS}; run `dvc repro`")
    sources = _of_kind(kind, rows[list(image_ids)].to_numpy(dtype=np.int64))
    if not len(image_ids):
        raise InputError("there are no images to be translated; change split, or give more images")
    there = np.array([kind != "masks" or source.any() for source in sources])
    if not there.any():
        raise InputError(
            f"none of the {len(image_ids)} images has a mask to be translated; correct the source's masks, or let the "
            "generator translate a channel"
        )
    kept = [name for name, has in zip(image_ids, there, strict=True) if has]
    return Sources(kept, where_room_is(at_size(sources[there], image_size), device))


def _of_kind(kind: str, rows: NDArray[np.int64]) -> NDArray[np.uint8]:
    """(N, H, W, S) at the packed size."""
    if kind == "masks":
        return open_images(IMAGES, MASKS)[rows][..., None]
    images = open_images(IMAGES)[rows]
    return images if kind == OTHER_CLASS else images[..., [int(kind.removeprefix("channel_"))]]
