"""Trained weights for an encoder."""

from torch import Tensor

from pipeline.pretrained import read_weights


def read_pretrained(weights: str) -> dict[str, Tensor] | None:
    """What the encoder of unet_resnext starts from, as ``read_weights`` reads it; None: fresh weights."""
    pretrained = read_weights("architectures.unet_resnext.weights", weights, "resnext50_32x4d", _imagenet_url)
    return pretrained.state_dict if pretrained else None


def _imagenet_url() -> str:
    from torchvision.models import ResNeXt50_32X4D_Weights  # type: ignore[import-untyped]  # doubles a start

    return str(ResNeXt50_32X4D_Weights.IMAGENET1K_V2.url)
