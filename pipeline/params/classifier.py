"""The EfficientNet classifiers: network, training and schemes."""

from typing import Annotated, Literal

from pydantic import Field

from pipeline.params.section import Section

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
Coefficient = Annotated[float, Field(gt=0)] | None  # null: the model's own


class ClassifierTrainParams(Section):
    steps: int = Field(gt=0)  # optimizer steps, the same for every scheme
    batch_size: int = Field(ge=2)
    learning_rate: float = Field(gt=0)
    weight_decay: float = Field(ge=0)
    schedule: Literal["constant", "cosine", "plateau"]  # of the learning rate
    evaluate_steps: int = Field(gt=0)  # steps between two looks at the val AUC


class RealScheme(Section):
    """Trained on real images only."""

    augment: Literal["none", "standard"]
    sampler: Literal["imbalanced", "shuffled"]
    loss: Literal["bce", "weighted", "focal"]
    duplicates: Literal["none", "balance"]  # real malignant images again, until the classes are equal: the placebo


class GanScheme(Section):
    """Trained on real and synthetic images."""

    augment: Literal["none", "standard"]
    sampler: Literal["imbalanced", "shuffled"]
    loss: Literal["bce", "weighted", "focal"]
    # malignant images until the classes are equal, or this fraction of each class
    synthetic: Literal["balance"] | Annotated[float, Field(gt=0)]


SchemeName = Annotated[str, Field(pattern=r"^[a-z0-9_]+$")]


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
