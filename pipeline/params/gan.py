"""The generator: what every variant shares. Each variant's own settings are in generators/<variant>.py."""

from typing import Annotated, Literal

from pydantic import Field

from pipeline.params.section import Section

ConditionColumn = Literal["diagnosis", "sex", "age_approx", "anatom_site", "image_type", "source"]


class GanTrainParams(Section):
    kimg: float = Field(gt=0)  # thousands of real images shown
    batch_size: int = Field(ge=2)
    diff_augment: list[Literal["flip", "dihedral", "color", "translation", "cutout"]]
    ema_kimg: float = Field(ge=0)  # half-life of the generator's moving average; 0: none
    log_kimg: float = Field(gt=0)  # a row of the curve every so often
    # Every so often the images are compared with validation images, and the state to resume from is saved.
    checkpoint_kimg: float = Field(gt=0)
    max_images: Annotated[int, Field(ge=2)] | None  # training images of each class, drawn at random; null: all
    min_recall: float = Field(ge=0, le=1)  # of the validation images by the chosen checkpoint's; less: a collapse

    @property
    def images(self) -> int:
        """Real images to be shown: ``kimg`` thousand."""
        return max(round(self.kimg * 1000), 1)
