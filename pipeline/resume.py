"""Where an interrupted training goes on: outside DVC's outputs, in a folder named by all that decides the result.

A plain DVC output is deleted before its stage runs and a persistent one keeps the state of other params, so the
state lives in .checkpoints/<stage>-<key>/; another param, other data or other code have another key.
"""

import hashlib
import os
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import torch
from pydantic import BaseModel
from torch import Tensor

from pipeline.compute import read_device
from pipeline.store import replaced_file
from pipeline.training.ranks import Ranks

ROOT = Path(__file__).parent.parent
CODE = [
    "models/**/*.py",
    "pipeline/training/*.py",
    "pipeline/compute.py",
    "pipeline/conditions.py",
    "pipeline/experiment.py",
    "pipeline/fitting.py",
    "pipeline/feature_space.py",
    "pipeline/metrics/distribution.py",
    "pipeline/launch.py",
    "pipeline/seeding.py",
    "pipeline/sources.py",
    "pipeline/train_gan.py",
    "pipeline/validation_look.py",
    "segmentation/fitting.py",
    "segmentation/translating.py",
]


class ResumePoint:
    """The saved state of one training run.

    Args:
        data: images and what is told of them; with ``params``, the device and the code it decides all.
        ranks: of which the first saves for all.
    """

    def __init__(self, stage: str, params: BaseModel, data: Iterable[Tensor], ranks: Ranks) -> None:
        self._saves = ranks.first
        key = hashlib.sha256(f"{params.model_dump_json()} {torch.__version__} {read_device().type}".encode())
        for path in sorted(path for pattern in CODE for path in ROOT.glob(pattern)):
            key.update(path.read_bytes())
        for tensor in data:
            key.update(tensor.cpu().contiguous().numpy().data)
        root = Path(os.environ.get("CHECKPOINT_DIR", ".checkpoints"))
        self._folder = root / f"{stage}-{key.hexdigest()[:16]}"

    def load(self) -> dict[str, Any] | None:
        """The state last saved, on the CPU; None at a first start."""
        path = self._folder / "state.pt"
        return torch.load(path, map_location="cpu", weights_only=True) if path.is_file() else None

    def save(self, state: dict[str, Any]) -> None:
        if self._saves:
            with replaced_file(self._folder / "state.pt") as partial:
                torch.save(state, partial)

    def remove(self) -> None:
        """To be called when the outputs are written."""
        shutil.rmtree(self._folder, ignore_errors=True)
