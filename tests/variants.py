"""Small networks of every registered variant."""

from typing import Any

import torch
from torch import Tensor

from models.generators import build_variant
from models.generators.families import Collection, Family, Translator
from pipeline.params.generators import SETTINGS
from pipeline.params.generators.adversarial import AdversarialSettings
from pipeline.params.generators.autoencoders import AutoencoderSettings
from pipeline.params.generators.translators import TranslatorSettings

CLASSES = 3
ADVERSARIAL = [name for name, settings in SETTINGS.items() if issubclass(settings, AdversarialSettings)]
AUTOENCODERS = [name for name, settings in SETTINGS.items() if issubclass(settings, AutoencoderSettings)]
TRANSLATORS = [name for name, settings in SETTINGS.items() if issubclass(settings, TranslatorSettings)]
TRAINED = [name for name, settings in SETTINGS.items() if not settings.FOLDERS]
FEATURES = ("generator_features", "discriminator_features", "encoder_features")


def built(name: str, params: dict[str, Any], image_size: int = 32, channels: int = 3, **changed: Any) -> Family:
    """With the settings of ``params``, but narrow and ``changed``."""
    own = params["gan"]["variants"][name]
    narrow = {key: 8 for key in FEATURES if key in own}
    settings = SETTINGS[name].model_validate(own | narrow | changed).model_dump()
    torch.manual_seed(0)
    variant = build_variant(name, image_size=image_size, channels=channels, classes=CLASSES, **settings)
    if isinstance(variant, Collection):
        images = torch.randint(256, (5, channels, image_size, image_size), dtype=torch.uint8)
        variant.generator.register_buffer("images", images)
    return variant


def told(variant: Family, count: int, image_size: int = 32, channels: int = 3) -> Tensor:
    """What the variant is told of each image: label 0, or a source."""
    if not isinstance(variant, Translator):
        return torch.zeros(count, dtype=torch.long)
    sources = channels if variant.sources == "other_class" else 1
    return torch.rand(count, sources, image_size, image_size, generator=torch.Generator().manual_seed(7)) * 2 - 1
