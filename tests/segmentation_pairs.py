"""A tiny segmentation experiment in the working directory: drawn pairs of a few patients, and params.yaml."""

from pathlib import Path
from typing import Any

import numpy as np
import yaml
from PIL import Image

from pipeline.params.reader import read_tree
from segmentation.params import PARAMS

ROOT = Path(__file__).parent.parent
PATIENTS, SLICES, SIDE = 12, 3, 40


def lay_pairs(**changes: Any) -> dict[str, Any]:
    """Draws ``data/raw/scans/<patient>_<slice>.tif`` with masks, and writes the params that read them."""
    draw_scans(Path("data/raw/scans"))
    params = read_tree(ROOT / PARAMS)
    params["phantom"]["images"] = 0
    params["source"] |= {"name": "scans", "folder": "data/raw/scans", "table": None}
    params["source"] |= {"image": "{patient}_{slice}.tif", "mask": "{patient}_{slice}_mask.png", "patient": "{patient}"}
    params["image"]["size"] = 32
    params["train"] |= {"steps": 6, "batch_size": 4, "evaluate_steps": 3}
    params["architectures"] = {"fpn": {"features": 2}, "unet": {"features": 2}}
    write_params(params | changes)
    return params | changes


def write_params(params: dict[str, Any]) -> None:
    Path("params.yaml").write_text("compute:\n  device: cpu\n  devices: 1\n")  # the main graph's, which says where
    PARAMS.parent.mkdir(exist_ok=True)
    PARAMS.write_text(yaml.safe_dump(params))


def draw_scans(folder: Path) -> None:
    """Every patient's last slice has an empty mask; what is marked is dark."""
    rng = np.random.default_rng(0)
    folder.mkdir(parents=True)
    for patient in range(PATIENTS):
        for number in range(SLICES):
            picture = rng.integers(90, 160, (SIDE // 4, SIDE // 4, 3)).astype(np.uint8)
            image = np.asarray(Image.fromarray(picture).resize((SIDE, SIDE), Image.Resampling.BICUBIC)).copy()
            mask = np.zeros((SIDE, SIDE), np.uint8)
            if number < SLICES - 1:
                top, left = rng.integers(4, 16, 2)
                mask[top : top + 16, left : left + 18] = 255
            image[mask > 0] //= 3
            Image.fromarray(image).save(folder / f"p{patient:02d}_{number}.tif")
            Image.fromarray(mask).save(folder / f"p{patient:02d}_{number}_mask.png")
