"""segmentation/params.yaml: every section, and what cannot work. No torch, so that a check is quick."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from string import Formatter
from typing import Annotated, Any, Literal, Self

from pydantic import Field, ValidationError, field_validator, model_validator

from pipeline.params.generators.adversarial import TwoRates
from pipeline.params.image import ImageParams
from pipeline.params.phantom import PhantomParams
from pipeline.params.reader import StageParams, describe
from pipeline.params.section import OwnKey, Section
from pipeline.params.split import GroupedSplitParams

PARAMS = Path("segmentation/params.yaml")
SIZES = (32, 64, 128, 256)  # px: those that the translator can draw
Architecture = Literal["fpn", "unet", "unet_residual", "unet_resnext"]
Augment = Literal["none", "standard"]
Loss = Literal["bce", "bce_sampled", "dice", "dice_bce", "iou"]
SchemeName = Annotated[OwnKey, Field(pattern=r"^[a-z0-9_]+$")]
REAL, CLASSIC, PLACEBO = "real", "classic", "placebo"  # schemes that the verdict compares with
Seeds = Annotated[list[Annotated[int, Field(ge=0)]], Field(min_length=1)]


class SourceParams(Section):
    """Where images, masks and the names of patients are."""

    name: str
    folder: str  # all that follows is in it
    table: str | None  # a CSV with a row per pair; null: every file that looks like ``image``
    # Names in braces are columns of the table, or without one whatever text stands there: data/{patient}/{slice}.tif
    image: str
    mask: str
    patient: str | None  # null: every image is of another patient

    @model_validator(mode="after")
    def _known_names(self) -> Self:
        if self.table is None:
            found = names_in(self.image)
            for key, template in (("mask", self.mask), ("patient", self.patient or "")):
                if unknown := names_in(template) - found:
                    raise ValueError(f"{key} has {{{min(unknown)}}}, which image {self.image!r} has not; name it there")
        return self


class TrainParams(Section):
    steps: int = Field(gt=0)  # optimizer steps, the same for every training
    batch_size: int = Field(ge=2)
    accumulate: int = Field(ge=1)  # parts that a batch is taken in, one after another, for want of memory
    learning_rate: float = Field(gt=0)
    weight_decay: float = Field(ge=0)
    evaluate_steps: int = Field(gt=0)  # steps between two looks at the Dice of the validation patients


class PlainSettings(Section):
    features: int = Field(gt=0)  # of the finest level


class PretrainedSettings(PlainSettings):
    weights: str  # of the encoder: none | imagenet | the path of a state dict, <name>-<digits of its sha256>.pth


class Architectures(Section):
    """A block for every architecture that is trained; one left out is not."""

    fpn: PlainSettings | None = None
    unet: PlainSettings | None = None
    unet_residual: PlainSettings | None = None
    unet_resnext: PretrainedSettings | None = None


def settings_kind(architecture: str) -> type[PlainSettings]:
    return PretrainedSettings if architecture == "unet_resnext" else PlainSettings


class TranslatorParams(TwoRates):
    """pix2pix, trained to draw an image for a mask: settings of its networks and of its training."""

    seeds: Seeds
    latent_dim: int = Field(gt=0)
    l1_weight: float = Field(ge=0)  # of the distance to the image beside the adversarial loss
    kimg: float = Field(gt=0)  # thousands of real pairs shown
    batch_size: int = Field(ge=2)
    ema_kimg: float = Field(ge=0)  # half-life of the generator's moving average; 0: none
    log_kimg: float = Field(gt=0)  # a row of the curve, and the state to resume from, every so often


class SynthesizeParams(Section):
    count: int = Field(gt=0)  # pairs of each generator
    deformation: float = Field(ge=0, le=0.2)  # of real masks: standard deviation of the warp, of a side
    # A synthetic image that fits one training image so much better than others is a copy, and dropped; 1: none is.
    copy_likeness: float = Field(gt=0, le=1)


class Scheme(Section):
    augment: Augment


class RealScheme(Scheme):
    repeated: float = Field(ge=0)  # share of the real pairs that are shown again: the placebo


class SyntheticScheme(Scheme):
    added: float = Field(gt=0)  # synthetic pairs beside the real ones, a share of their number


class SchemesParams(Section):
    """The trainings that ask whether synthetic pairs help."""

    architecture: Architecture
    loss: Loss
    seeds: Seeds
    real: dict[SchemeName, RealScheme]
    synthetic: dict[SchemeName, SyntheticScheme]


class EvaluateParams(Section):
    confidence: float = Field(gt=0.5, lt=1)  # of every interval; 1 - confidence is the level of the tests


class ComputeParams(Section):
    precision: Literal["auto", "fp32", "bf16"]
    threads: int = Field(ge=1)  # of each process


class Document(StageParams):
    """The whole file."""

    seed: int = Field(ge=0)
    phantom: PhantomParams
    source: SourceParams
    image: ImageParams
    split: GroupedSplitParams
    train: TrainParams
    architectures: Architectures
    losses: Annotated[list[Loss], Field(min_length=1)]
    seeds: Seeds
    augment: Augment
    translator: TranslatorParams
    synthesize: SynthesizeParams
    schemes: SchemesParams
    evaluate: EvaluateParams
    compute: ComputeParams

    @field_validator("image")
    @classmethod
    def _doubled_from_four(cls, image: ImageParams) -> ImageParams:
        if image.size not in SIZES:
            raise ValueError(f"size must be one of {', '.join(map(str, SIZES))}, got {image.size}")
        return image

    @field_validator("losses", "seeds")
    @classmethod
    def _each_once(cls, values: list[Any]) -> list[Any]:
        if len(set(values)) < len(values):
            raise ValueError(f"repeats a value: {values}; list each once")
        return values


def mistakes(tree: Mapping[str, Any]) -> list[str]:
    """Everything that is wrong with a segmentation/params.yaml, one line each; empty if nothing is."""
    try:
        document = Document.model_validate(tree)
    except ValidationError as error:
        return [describe(detail) for detail in error.errors()]
    return [*_absent_architectures(document.architectures), *_impossible_schemes(document)]


def _absent_architectures(architectures: Architectures) -> Iterator[str]:
    named = architectures.model_fields_set
    if not named:
        yield "architectures has none; name at least one"
    for name in sorted(named):
        if getattr(architectures, name) is None:
            yield f"architectures.{name} is null; give its settings, or leave it out"


def _impossible_schemes(document: Document) -> Iterator[str]:
    schemes = document.schemes
    if getattr(document.architectures, schemes.architecture) is None:
        yield f"schemes.architecture is {schemes.architecture}, which architectures has not; add it there"
    for name, scheme in schemes.synthetic.items():
        if name in schemes.real:
            yield f"schemes.real and schemes.synthetic both have {name}; rename one"
        if CLASSIC in schemes.real and scheme.augment != schemes.real[CLASSIC].augment:
            yield (
                f"schemes.synthetic.{name}.augment is {scheme.augment}; it must be that of {CLASSIC}, or the pairs are "
                "not all that differs"
            )


def names_in(template: str) -> set[str]:
    """The names in braces. Raises ValueError for braces that do not close."""
    return {name for _, name, _, _ in Formatter().parse(template) if name is not None}
