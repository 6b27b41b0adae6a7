"""One training of one scheme: what its two stages share."""

from pathlib import Path
from typing import Any

import numpy as np
from pydantic import Field

from pipeline.params.reader import checked
from segmentation.fitting import FittingParams, Segmenter, fit
from segmentation.packed import Pairs
from segmentation.params import Scheme, settings_kind


class SchemeFittingParams(FittingParams):
    """What all schemes are trained with; they differ in the pairs that are added, and in the augmentation."""

    architecture: str = Field(alias="schemes.architecture")
    loss: str = Field(alias="schemes.loss")
    settings: dict[str, Any] = Field(alias="architectures.${schemes.architecture}")


def fit_scheme(
    params: SchemeFittingParams, scheme: Scheme, name: Path, seed: str, training: Pairs, added: Pairs
) -> None:
    """See ``fitting.fit``; ``added`` are shown beside the training pairs."""
    keys = {key: f"architectures.{params.architecture}.{key}" for key in params.settings}
    settings = checked(settings_kind(params.architecture), params.settings, keys)
    segmenter = Segmenter(params.architecture, settings, params.loss, scheme.augment)
    shown = Pairs(*(np.concatenate(arrays) for arrays in zip(training, added, strict=True)))
    fit(params, segmenter, name, seed, shown)
