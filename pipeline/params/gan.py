"""The generator: what every variant shares. Each variant's own settings are in generators/<variant>.py."""

from typing import Literal

from pydantic import Field

from pipeline.params.section import Section


class GanTrainParams(Section):
    kimg: float = Field(gt=0)  # thousands of real images shown
    batch_size: int = Field(ge=2)
    generator_learning_rate: float = Field(gt=0)
    discriminator_learning_rate: float = Field(gt=0)
    beta1: float = Field(ge=0, lt=1)
    beta2: float = Field(gt=0, lt=1)
    diff_augment: list[Literal["flip", "color", "translation", "cutout"]]
    ema_kimg: float = Field(ge=0)  # half-life of the generator's moving average; 0: none
    log_kimg: float = Field(gt=0)  # a row of the curve every so often
    checkpoint_kimg: float = Field(gt=0)  # the state to resume from, every so often
