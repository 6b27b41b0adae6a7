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

from pipeline.compute import arithmetic
from pipeline.store import replaced_file
from pipeline.training.ranks import Ranks

ROOT = Path(__file__).parent.parent
# All that the trainings import and that can change a result, which tests/test_graph.py holds it against.
CODE = [
    "versions.txt",
    "models/**/*.py",
    "pipeline/training/*.py",
    "pipeline/compute.py",
    "pipeline/conditions.py",
    "pipeline/control_synthetic.py",
    "pipeline/control_view.py",
    "pipeline/controls.py",
    "pipeline/decoding.py",
    "pipeline/experiment.py",
    "pipeline/feature_space.py",
    "pipeline/fitting.py",
    "pipeline/folder.py",
    "pipeline/generator_data.py",
    "pipeline/hiding.py",
    "pipeline/images.py",
    "pipeline/launch.py",
    "pipeline/metrics/auc_inference.py",
    "pipeline/metrics/classification.py",
    "pipeline/metrics/distribution.py",
    "pipeline/metrics/ranking.py",
    "pipeline/metrics/schemes.py",
    "pipeline/metrics/segmentation.py",
    "pipeline/perceptual_hash.py",
    "pipeline/pretrained.py",
    "pipeline/private_fields.py",
    "pipeline/seeding.py",
    "pipeline/sources.py",
    "pipeline/synthetic_experiment.py",
    "pipeline/train_classifier*.py",
    "pipeline/train_gan.py",
    "pipeline/validation_look.py",
    "segmentation/fitting.py",
    "segmentation/packed.py",
    "segmentation/pretrained.py",
    "segmentation/scheme.py",
    "segmentation/train_*.py",
    "segmentation/translating.py",
]


class ResumePoint:
    """The saved state of one training run.

    Args:
        data: images and what is told of them; with ``params``, the kind of machine and the code it decides all.
        ranks: of which the first saves for all.
    """

    def __init__(self, stage: str, params: BaseModel, data: Iterable[Tensor], ranks: Ranks) -> None:
        self._saves = ranks.first
        key = hashlib.sha256(f"{params.model_dump_json()} {ranks.count} {arithmetic(ranks.device)}".encode())
        for path in code_files():
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


def code_files() -> list[Path]:
    """What ``CODE`` names. Raises FileNotFoundError for a pattern that names nothing: what it stood for has moved."""
    found: set[Path] = set()
    for pattern in CODE:
        files = set(ROOT.glob(pattern))
        if not files:
            raise FileNotFoundError(f"no file is called {pattern}, which pipeline/resume.py takes to decide a training")
        found |= files
    return sorted(found)
