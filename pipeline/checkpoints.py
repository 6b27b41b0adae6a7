"""Trained weights on disk: safetensors and a JSON of how they were built; never a pickle."""

from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import nn

from pipeline.errors import InputError
from pipeline.store import read_json, write_json

WEIGHTS, BUILT_WITH = "model.safetensors", "model.json"


def save_model(directory: Path, model: nn.Module, built_with: dict[str, Any]) -> None:
    """Writes both files into an existing directory."""
    weights = {name: value.detach().cpu().contiguous() for name, value in model.state_dict().items()}
    save_file(weights, directory / WEIGHTS)
    write_json(directory / BUILT_WITH, built_with)


def read_built_with(directory: Path) -> dict[str, Any]:
    """How the model of a checkpoint directory was built. Raises InputError if it is not one."""
    if not (directory / BUILT_WITH).is_file():
        raise InputError(f"{directory} holds no {BUILT_WITH}; give a folder under data/checkpoints or run `dvc repro`")
    return read_json(directory / BUILT_WITH)


def load_weights(directory: Path, model: nn.Module) -> None:
    """Loads a checkpoint's weights into a model that was built alike. Raises InputError if they do not fit."""
    try:
        model.load_state_dict(load_file(directory / WEIGHTS))
    except (SafetensorError, RuntimeError, FileNotFoundError) as error:
        reason = str(error).splitlines()[0]
        raise InputError(
            f"{directory / WEIGHTS} cannot be loaded ({reason}); train it again with `dvc repro`"
        ) from error
