"""SEGMENTERS: architecture -> the function that builds it. Written by hand, sorted.

An architecture's module has one public function, ``build(channels, **settings)``; ``settings`` is its block under
``architectures`` in segmentation/params.yaml. It returns a network that turns images (N, C, H, W) in [-1, 1], H and W
multiples of 32, into logits (N, H, W) of the mask. No constructor downloads; one that can begin with trained weights
is ``stages.Pretrainable``.
"""

from collections.abc import Callable

from torch import nn

from models.segmenters import fpn, unet, unet_residual, unet_resnext

SEGMENTERS: dict[str, Callable[..., nn.Module]] = {
    "fpn": fpn.build,
    "unet": unet.build,
    "unet_residual": unet_residual.build,
    "unet_resnext": unet_resnext.build,
}


def build_segmenter(name: str, channels: int, **settings: object) -> nn.Module:
    """Builds a registered architecture. Raises ValueError, naming the known ones, for any other."""
    if name not in SEGMENTERS:
        raise ValueError(f"architecture is {name!r}; known architectures: {', '.join(SEGMENTERS)}")
    return SEGMENTERS[name](channels, **settings)
