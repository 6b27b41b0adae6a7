"""Trained weights to start from: a checked file, or ImageNet's, which are downloaded once."""

from collections.abc import Callable
from pathlib import Path
from pickle import UnpicklingError
from typing import NamedTuple

import torch
from torch import Tensor

from pipeline.errors import InputError
from pipeline.named_by_content import check_name
from pipeline.store import sha256_of_file


class Pretrained(NamedTuple):
    """A state dict, and its file's digest."""

    state_dict: dict[str, Tensor]
    sha256: str


def read_weights(key: str, weights: str, model: str, url: Callable[[], str]) -> Pretrained | None:
    """What training starts from; None: from scratch.

    Args:
        key: under which they are named in the params.
        weights: none | imagenet | the path of a state dict, named after its content as torch.hub names files.
        model: whose they are.
        url: gives the address of its ImageNet weights.

    Raises:
        InputError: if the file cannot be had, is no state dict, or has another content than its name says.
    """
    if weights == "none":
        return None
    path = imagenet_file(key, model, url()) if weights == "imagenet" else Path(weights)
    if not path.is_file():
        raise InputError(f"{key} is {weights!r}, which is no file; use none, imagenet or a path")
    sha256 = sha256_of_file(path)
    if weights != "imagenet":
        check_name(key, path, sha256)
    try:
        state_dict = dict(torch.load(path, map_location="cpu", weights_only=True))
    except (UnpicklingError, RuntimeError, EOFError, TypeError, ValueError) as error:
        raise InputError(f"{key} is {weights}: {path} is no state dict saved by torch.save") from error
    return Pretrained(state_dict, sha256)


def imagenet_file(key: str, model: str, url: str) -> Path:
    """ImageNet weights, downloaded once into torch.hub's folder."""
    path = Path(torch.hub.get_dir(), "checkpoints", Path(url).name)
    if not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            torch.hub.download_url_to_file(url, str(path))
        except OSError as error:
            raise InputError(
                f"{key} is imagenet, but the weights of {model} could not be downloaded ({error}); "
                "give the path of a state dict, or none"
            ) from error
    return path
