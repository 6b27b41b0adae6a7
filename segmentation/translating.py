"""The translator that draws an image for a mask: pix2pix, built from the params or from a checkpoint."""

from pathlib import Path
from typing import Any

from torch import Tensor

from models.generators import pix2pix
from models.generators.families import Translator
from pipeline.checkpoints import load_weights, read_built_with
from pipeline.training.batches import to_unit_range
from segmentation.params import TranslatorParams

TRANSLATORS = Path("data/segmentation/checkpoints/translators")
NETWORK = ("generator_features", "discriminator_features", "latent_dim", "l1_weight")
RATES = ("generator_learning_rate", "discriminator_learning_rate", "beta1", "beta2")


def build_translator(image_size: int, channels: int, settings: dict[str, Any]) -> Translator:
    """Args: settings: those of ``NETWORK`` and ``RATES``."""
    return pix2pix.build(image_size, channels, classes=1, sources="masks", label_smoothing=1.0, **settings)


def settings_of(params: TranslatorParams) -> dict[str, Any]:
    return {name: getattr(params, name) for name in (*NETWORK, *RATES)}


def read_translator(checkpoint: Path) -> Translator:
    """Its generator in eval mode, on the CPU."""
    built_with = read_built_with(checkpoint)
    translator = build_translator(built_with["image_size"], built_with["channels"], built_with["settings"])
    load_weights(checkpoint, translator.generator)
    translator.generator.eval()
    return translator


def as_source(masks: Tensor) -> Tensor:
    """Masks (N, H, W) of 0 and 255 as what is translated, (N, 1, H, W) in [-1, 1]."""
    return to_unit_range(masks)[:, None]
