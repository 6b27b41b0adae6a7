"""Fixtures that several test files share: a tiny experiment on drawn images, and nothing from outside."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
import yaml

from models.extractor import Extractor
from pipeline.checkpoints import save_model
from pipeline.params.reader import read_tree

ROOT = Path(__file__).parent.parent


@pytest.fixture
def smoke_params() -> dict[str, Any]:
    """The content of recipes/smoke.yaml, to be changed at will."""
    return read_tree(ROOT / "recipes/smoke.yaml")


@pytest.fixture
def experiment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, smoke_params: dict[str, Any]
) -> Callable[..., dict[str, Any]]:
    """Lays a tiny experiment in the working directory: params.yaml, packed images and splits.

    Each image holds its own row number in a corner pixel, so that a test can trace which images were used.
    """
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("pipeline.train_gan.SAMPLES", 96)  # looks would take most of so short a training
    monkeypatch.setattr("pipeline.training.ema.MEASURED_BATCHES", 2)

    def lay(images: int = 60, size: int = 32, channels: int = 3) -> dict[str, Any]:
        smoke_params["compute"]["threads"] = 1  # the suite has a process for each core
        smoke_params["image"] |= {"size": size, "channels": channels}
        smoke_params["gan"]["train"] |= {"kimg": 0.08, "batch_size": 8, "log_kimg": 0.02, "checkpoint_kimg": 0.02}
        smoke_params["synthesize"] |= {"count": 20, "batch_size": 8}
        smoke_params["features"] |= {"steps": 2, "batch_size": 8}
        smoke_params["classifier"]["train"] |= {"steps": 4, "batch_size": 8, "evaluate_steps": 2}
        Path("params.yaml").write_text(yaml.safe_dump(smoke_params))
        write_images(images, size, channels)
        write_extractor(channels)
        return smoke_params

    return lay


def write_extractor(channels: int) -> None:
    """An untrained one: it tells images apart all the same."""
    torch.manual_seed(0)
    extractor = Extractor(channels, 8).eval()
    Path("data/features").mkdir(parents=True)
    save_model(
        Path("data/features"), extractor, {"name": "untrained", "channels": channels, "width": 8, "image_size": 32}
    )


def write_images(count: int, size: int, channels: int) -> None:
    """Half train, a quarter val, a quarter test; every third image malignant."""
    rng = np.random.default_rng(0)
    packed = rng.integers(60, 200, (count, 1, 1, channels)) + rng.integers(-20, 20, (count, size, size, channels))
    rows = np.arange(count)
    packed[rows % 3 == 0, size // 4 : -size // 4, size // 4 : -size // 4] -= 50
    packed[:, 0, 0] = rows[:, None]
    Path("data/images").mkdir(parents=True)
    np.save("data/images/images.npy", packed.astype(np.uint8))
    masks = np.zeros((count, size, size), np.uint8)
    masks[rows % 6 != 3, size // 4 : -size // 4, size // 4 : -size // 4] = 255  # half the malignant images have none
    np.save("data/images/masks.npy", masks)
    Path("data/images/geometry.json").write_text(json.dumps({"size": size, "channels": channels, "fit": "crop"}))
    split = np.where(rows < count // 2, "train", np.where(rows < 3 * count // 4, "val", "test"))
    names = [f"IMAGE_{row:04d}" for row in rows]
    table = {"image_id": names, "row": rows, "target": (rows % 3 == 0).astype(int), "split": split, "group_id": names}
    pd.DataFrame(table).to_csv("data/splits.csv", index=False)
    sex = np.where(rows % 5 == 0, "", np.where(rows % 2 == 0, "male", "female"))
    pd.DataFrame({"image_id": names, "sex": sex})[::-1].to_csv("data/conditions.csv", index=False)
