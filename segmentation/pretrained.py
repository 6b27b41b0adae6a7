"""Trained weights for an encoder: a checked file, or ImageNet's, which are downloaded once."""

from pathlib import Path
from pickle import UnpicklingError

import torch
from torch import Tensor

from pipeline.errors import InputError
from pipeline.named_by_content import check_name
from pipeline.store import sha256_of_file

KEY = "architectures.unet_resnext.weights"


def read_pretrained(weights: str) -> dict[str, Tensor] | None:
    """What the encoder starts from; None: fresh weights.

    Args:
        weights: none | imagenet | the path of a state dict, named after its content as torch.hub names files.

    Raises:
        InputError: if the file cannot be had, is no state dict, or has another content than its name says.
    """
    if weights == "none":
        return None
    path = imagenet_file() if weights == "imagenet" else Path(weights)
    if not path.is_file():
        raise InputError(f"{KEY} is {weights!r}, which is no file; use none, imagenet or a path")
    if weights != "imagenet":
        check_name(KEY, path, sha256_of_file(path))
    try:
        return dict(torch.load(path, map_location="cpu", weights_only=True))
    except (UnpicklingError, RuntimeError, EOFError, TypeError, ValueError) as error:
        raise InputError(f"{KEY} is {weights}: {path} is no state dict saved by torch.save") from error


def imagenet_file() -> Path:
    """ImageNet weights from torchvision's own address, downloaded once into torch.hub's folder."""
    from torchvision.models import ResNeXt50_32X4D_Weights  # type: ignore[import-untyped]  # doubles a start

    url = ResNeXt50_32X4D_Weights.IMAGENET1K_V2.url
    path = Path(torch.hub.get_dir(), "checkpoints", Path(url).name)
    if not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            torch.hub.download_url_to_file(url, str(path))
        except OSError as error:
            raise InputError(
                f"{KEY} is imagenet, but the weights could not be downloaded ({error}); give the path of a state "
                "dict, or none"
            ) from error
    return path
