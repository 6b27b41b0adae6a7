"""Sampling from a trained generator into a packed array, beside one image at a time into a PNG each."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from torchvision.utils import save_image  # type: ignore[import-untyped]

from benchmarks.hot_paths import HotPath
from benchmarks.hot_paths.gan_step import usual_variant
from pipeline.checkpoints import save_model
from pipeline.trained_generator import TrainedGenerator

IMAGES, PLAIN_IMAGES, BATCH = 10_000, 500, 100
SIZE = 64


def paths(device: torch.device, folder: Path) -> Iterator[HotPath]:
    variant, settings = usual_variant("dcgan", SIZE)
    built = {"variant": "dcgan", "image_size": SIZE, "channels": 3, "settings": settings}
    conditions = {"names": [""], "shares": [1.0]}
    checkpoint = folder / "checkpoint"
    checkpoint.mkdir()
    save_model(checkpoint, variant.generator, {**built, "conditions": conditions, "sources": None, "diff_augment": []})
    trained = TrainedGenerator(checkpoint, device)
    generator = variant.generator.to(device).eval()

    def ours() -> None:
        rng = torch.Generator().manual_seed(0)
        np.save(folder / "images.npy", np.concatenate([trained.draw(BATCH, rng) for _ in range(IMAGES // BATCH)]))

    @torch.no_grad()
    def plain() -> None:
        told = torch.zeros(1, dtype=torch.long, device=device)
        for number in range(PLAIN_IMAGES):
            image = generator(torch.randn(1, variant.latent_dim, device=device), told)
            save_image((image + 1) / 2, folder / f"{number:05d}.png")

    yield HotPath(f"sampling: dcgan, {SIZE} px", "images", IMAGES, ours, plain, PLAIN_IMAGES, floor=3)
