"""The EfficientNet classifiers: network, training and schemes."""

from typing import Annotated, Literal

from pydantic import Field

from pipeline.params.section import OwnKey, Section

Model = Literal[
    "efficientnet-b0",
    "efficientnet-b1",
    "efficientnet-b2",
    "efficientnet-b3",
    "efficientnet-b4",
    "efficientnet-b5",
    "efficientnet-b6",
    "efficientnet-b7",
]
BASELINE, CLASSIC, PLACEBO = "baseline", "classic", "oversample"  # real schemes that the verdict compares with
Coefficient = Annotated[float, Field(gt=0)] | None  # null: the model's own


class ClassifierTrainParams(Section):
    steps: int = Field(gt=0)  # optimizer steps, the same for every scheme
    batch_size: int = Field(ge=2)
    accumulate: int = Field(ge=1)  # parts that a batch is taken in, one after another, for want of memory
    learning_rate: float = Field(gt=0)
    weight_decay: float = Field(ge=0)
    schedule: Literal["constant", "cosine", "plateau"]  # of the learning rate
    evaluate_steps: int = Field(gt=0)  # steps between two looks at the val AUC


class Scheme(Section):
    """How a classifier is trained; what is added to its images, the two kinds of scheme say."""

    augment: Literal["none", "standard", "randaugment"]
    sampler: Literal["imbalanced", "shuffled"]
    loss: Literal["bce", "weighted", "focal"]


class RealScheme(Scheme):
    """Trained on real images only."""

    duplicates: Literal["none", "balance"]  # real malignant images again, until the classes are equal: the placebo


class GanScheme(Scheme):
    """Trained on synthetic images, as a rule beside real ones."""

    real: bool  # whether the real training images are shown too
    # malignant images until the classes are equal, or this fraction of each class's real training images
    synthetic: Literal["balance"] | Annotated[float, Field(gt=0)]


class FilteredScheme(GanScheme):
    """Of the synthetic images only those that the baseline classifiers take for what they are meant to be."""

    votes: float = Field(gt=0, le=1)  # the share of the baseline's seeds that must agree


SchemeName = Annotated[OwnKey, Field(pattern=r"^[a-z0-9_]+$")]


class ClassifierParams(Section):
    model: Model
    width: Coefficient
    depth: Coefficient
    image_size: int = Field(ge=16)  # px
    weights: str  # none | imagenet | the path of a state dict of the same model, <name>-<digits of its sha256>.pth
    frozen_blocks: int = Field(ge=0)  # the stem and the first so many blocks keep their weights
    batch_norm_momentum: float = Field(gt=0, le=1)  # torch's sense: the share of the new batch
    dropout: float = Field(ge=0, lt=1)
    test_time_augmentation: Literal["none", "flip", "dihedral"]  # a prediction is the mean over 1, 2 or 8 orientations
    seeds: list[Annotated[int, Field(ge=0)]] = Field(min_length=1)
    train: ClassifierTrainParams
    real_schemes: dict[SchemeName, RealScheme]
    gan_schemes: dict[SchemeName, GanScheme]
    filtered_schemes: dict[SchemeName, FilteredScheme]

    @property
    def synthetic_schemes(self) -> dict[str, GanScheme]:
        """Those that the verdict is about."""
        return {**self.gan_schemes, **self.filtered_schemes}
