"""The whole of params.yaml: every section, and the combinations that cannot work."""

from collections.abc import Callable, Iterator, Mapping
from importlib.util import find_spec
from itertools import combinations
from typing import Any, Literal

from pydantic import BaseModel, Field, ValidationError, create_model, field_validator

from pipeline.params.artefacts import ArtefactsParams
from pipeline.params.classes import ClassName
from pipeline.params.classifier import BASELINE, CLASSIC, PLACEBO, ClassifierParams
from pipeline.params.compute import ComputeParams
from pipeline.params.controls import ControlsParams
from pipeline.params.evaluate import EvaluateParams
from pipeline.params.external import ExternalParams
from pipeline.params.features import FeaturesParams
from pipeline.params.gan import ConditionColumn, GanTrainParams
from pipeline.params.generators import SETTINGS
from pipeline.params.image import ImageParams
from pipeline.params.phantom import PhantomParams
from pipeline.params.reader import describe
from pipeline.params.reduce import ReduceParams
from pipeline.params.score import ScoreParams
from pipeline.params.section import Section
from pipeline.params.source import Sources
from pipeline.params.split import SplitParams
from pipeline.params.synthesize import SynthesizeParams

GAN_SIZES = (32, 64, 128, 256)


# One optional block per registered variant; the active one is required by a rule below.
Variants = create_model(
    "Variants", __base__=Section, **{name: (settings | None, None) for name, settings in SETTINGS.items()}
)  # type: ignore[call-overload]


class GanParams(Section):
    variant: str
    classes: list[ClassName] = Field(min_length=1)
    seeds: list[int] = Field(min_length=1)
    # what a conditional variant is told of an image besides its class
    condition_on: Literal["target"] | ConditionColumn
    image_size: int
    train: GanTrainParams
    variants: Variants  # type: ignore[valid-type]

    @field_validator("variant")
    @classmethod
    def _known_variant(cls, variant: str) -> str:
        if variant not in SETTINGS:
            raise ValueError(f"is {variant!r}; known variants: {', '.join(SETTINGS)}")
        return variant

    @field_validator("image_size")
    @classmethod
    def _doubled_from_four(cls, size: int) -> int:
        if size not in GAN_SIZES:
            raise ValueError(f"must be one of {', '.join(map(str, GAN_SIZES))}, got {size}")
        return size


SECTIONS: dict[str, type[BaseModel]] = {
    "source": Sources,
    "phantom": PhantomParams,
    "reduce": ReduceParams,
    "image": ImageParams,
    "split": SplitParams,
    "features": FeaturesParams,
    "gan": GanParams,
    "synthesize": SynthesizeParams,
    "score": ScoreParams,
    "classifier": ClassifierParams,
    "evaluate": EvaluateParams,
    "external": ExternalParams,
    "controls": ControlsParams,
    "artefacts": ArtefactsParams,
    "compute": ComputeParams,
}


def mistakes(tree: Mapping[str, Any]) -> list[str]:
    """Everything that is wrong with a params.yaml, one line each; empty if nothing is.

    Args:
        tree: the file's content, as the YAML reader gives it.
    """
    found = [f"{name} is missing" for name in ("seed", *SECTIONS) if name not in tree]
    found += [
        f"{name} is not a known section; known: {', '.join(sorted(['seed', *SECTIONS]))}"
        for name in tree
        if name not in ("seed", *SECTIONS)
    ]
    seed = tree.get("seed", 0)
    if not isinstance(seed, int) or isinstance(seed, bool) or seed < 0:
        found.append(f"seed must be an integer of at least 0, got {seed!r}")
    valid: dict[str, Any] = {}
    for name, section in SECTIONS.items():
        if name in tree:
            try:
                valid[name] = section.model_validate(tree[name])
            except ValidationError as error:
                found += [describe(_below(name, detail)) for detail in error.errors()]
    for sections, rule in RULES:
        if all(section in valid for section in sections):
            found += rule(*(valid[section] for section in sections))
    return found


def _below(name: str, detail: Any) -> Any:
    return {**detail, "loc": (name, *detail["loc"])}


def _active_variant(gan: GanParams) -> Iterator[str]:
    if getattr(gan.variants, gan.variant) is None:
        yield f"gan.variants.{gan.variant} is missing; gan.variant needs its settings"


def _augmentation(gan: GanParams) -> Iterator[str]:
    settings = getattr(gan.variants, gan.variant)
    others = [part for part in gan.train.diff_augment if part not in ("flip", "dihedral")]
    if settings is not None and settings.ONLY_TURNS and others:
        yield (
            f"gan.train.diff_augment has {', '.join(others)}, and gan.variant {gan.variant} {settings.ONLY_TURNS}; "
            "leave it out: flip and dihedral can stay"
        )


def _folders(gan: GanParams) -> Iterator[str]:
    settings = getattr(gan.variants, gan.variant)
    for name in gan.classes:
        if settings is not None and name in settings.FOLDERS and getattr(settings, name) is None:
            yield (
                f"gan.variants.{gan.variant}.{name} is null and gan.classes has {name}; give a folder of such "
                f"images, or take {name} out of gan.classes"
            )


def _library(gan: GanParams) -> Iterator[str]:
    settings = getattr(gan.variants, gan.variant)
    if settings is not None and settings.LIBRARY and find_spec(settings.LIBRARY) is None:
        yield f"gan.variant is {gan.variant}, which needs {settings.LIBRARY}; pip install {settings.LIBRARY}"


def _sources(sources: Sources, image: ImageParams, gan: GanParams) -> Iterator[str]:
    kind = getattr(getattr(gan.variants, gan.variant), "sources", "")
    if kind == "masks" and all(source.masks is None for source in sources.root.values()):
        yield (
            f"gan.variants.{gan.variant}.sources is masks and no source has masks; give the folder of the masks, or "
            "take a channel or another gan.variant"
        )
    if kind.startswith("channel_") and image.channels == 1:
        yield (
            f"gan.variants.{gan.variant}.sources is {kind} and image.channels is 1; set image.channels: 3, or take "
            "masks or another gan.variant"
        )


def _repeated_seeds(gan: GanParams, classifier: ClassifierParams) -> Iterator[str]:
    for key, values in (
        ("gan.seeds", gan.seeds),
        ("gan.classes", gan.classes),
        ("classifier.seeds", classifier.seeds),
    ):
        if len(set(values)) < len(values):
            yield f"{key} repeats a value: {values}; list each once"


def _sizes(image: ImageParams, features: FeaturesParams, gan: GanParams, classifier: ClassifierParams) -> Iterator[str]:
    for key, size in (
        ("gan.image_size", gan.image_size),
        ("classifier.image_size", classifier.image_size),
        ("features.image_size", features.image_size),
    ):
        if size > image.size:
            yield f"{key} is {size} and image.size {image.size}; images are never enlarged: raise image.size"
    if classifier.synthetic_schemes and gan.image_size < classifier.image_size:
        yield (
            f"gan.image_size is {gan.image_size} and classifier.image_size {classifier.image_size}; enlarged synthetic "
            "images are blurred and give their label away: lower classifier.image_size"
        )


def _schemes(gan: GanParams, classifier: ClassifierParams) -> Iterator[str]:
    groups = {key: getattr(classifier, key) for key in ("real_schemes", "gan_schemes", "filtered_schemes")}
    for (first, some), (second, others) in combinations(groups.items(), 2):
        for name in sorted(some.keys() & others.keys()):
            yield f"scheme {name} is in both classifier.{first} and classifier.{second}; rename one"
    if not classifier.synthetic_schemes:
        return
    for name in (BASELINE, CLASSIC, PLACEBO):
        if name not in classifier.real_schemes:
            yield f"classifier.real_schemes.{name} is missing; the verdict on synthetic images compares with it"
    for name, scheme in classifier.synthetic_schemes.items():
        needed = ["malignant"] if scheme.synthetic == "balance" else ["benign", "malignant"]
        for missing in sorted(set(needed) - set(gan.classes)):
            yield f"scheme {name} needs synthetic {missing} images and gan.classes is {gan.classes}; add {missing}"
        if scheme.synthetic == "balance" and not scheme.real:
            yield (
                f"scheme {name} fills the classes up to equal numbers but shows no real images, so it would have no "
                "benign ones; set real: true or give synthetic a fraction"
            )


def _balanced_twice(reduce: ReduceParams, classifier: ClassifierParams) -> Iterator[str]:
    if reduce.balance == "balanced":
        for name, scheme in classifier.synthetic_schemes.items():
            if scheme.synthetic == "balance":
                yield (
                    f"scheme {name} fills the classes up to equal numbers, which reduce.balance: balanced has done; it "
                    "would add nothing: set reduce.balance: keep_ratio or give synthetic a fraction"
                )


def _controls(gan: GanParams, controls: ControlsParams) -> Iterator[str]:
    for missing in sorted(set(controls.synthetic) - set(gan.classes)):
        yield f"controls.synthetic has {missing} and gan.classes is {gan.classes}; add {missing} there, or leave it out"
    for key, values in (("controls.views", controls.views), ("controls.synthetic", controls.synthetic)):
        if len(set(values)) < len(values):
            yield f"{key} repeats a value: {values}; list each once"


def _gray_artefacts(image: ImageParams, artefacts: ArtefactsParams) -> Iterator[str]:
    if image.channels == 1 and artefacts.kinds:
        yield f"artefacts.kinds is {artefacts.kinds} and image.channels is 1; they are found in colour: set kinds: []"


def _no_external_phantom(external: ExternalParams) -> Iterator[str]:
    for name, given in external.sets.items():
        if external.phantom.images == 0 and given.metadata.startswith("data/raw/external_phantom"):
            yield f"external.sets.{name}.metadata is {given.metadata} and external.phantom.images 0; change one"


def _frozen(classifier: ClassifierParams) -> Iterator[str]:
    if classifier.frozen_blocks and classifier.weights == "none":
        yield (
            f"classifier.frozen_blocks is {classifier.frozen_blocks} with weights: none; random weights would stay "
            "random: set frozen_blocks: 0 or give weights"
        )
    if classifier.weights == "imagenet" and (classifier.width is not None or classifier.depth is not None):
        yield "classifier.weights: imagenet fit the model's own size only; set width: null and depth: null"


def _gray_imagenet(image: ImageParams, classifier: ClassifierParams) -> Iterator[str]:
    if image.channels == 1 and classifier.weights == "imagenet":
        yield "classifier.weights: imagenet need colour and image.channels is 1; set image.channels: 3 or weights: none"


def _weighted_twice(classifier: ClassifierParams) -> Iterator[str]:
    for name, scheme in {**classifier.real_schemes, **classifier.synthetic_schemes}.items():
        if scheme.loss == "weighted" and scheme.sampler == "imbalanced":
            yield f"scheme {name} balances the classes twice, by sampler and by loss: weighted; set sampler: shuffled"


def _neighbours(score: ScoreParams, synthesize: SynthesizeParams) -> Iterator[str]:
    if score.neighbours >= synthesize.count:
        yield f"score.neighbours is {score.neighbours} and synthesize.count {synthesize.count}; it must be smaller"


def _no_phantom(phantom: PhantomParams, sources: Sources) -> Iterator[str]:
    for name, source in sources.root.items():
        if phantom.images == 0 and source.metadata.startswith("data/raw/phantom"):
            yield f"source.{name}.metadata is {source.metadata} and phantom.images is 0; set one of them otherwise"


# The sections that a rule needs, and the rule; it runs only if they are all valid on their own.
RULES: list[tuple[tuple[str, ...], Callable[..., Iterator[str]]]] = [
    (("gan",), _active_variant),
    (("gan",), _augmentation),
    (("gan",), _folders),
    (("gan",), _library),
    (("source", "image", "gan"), _sources),
    (("gan", "classifier"), _repeated_seeds),
    (("image", "features", "gan", "classifier"), _sizes),
    (("gan", "classifier"), _schemes),
    (("reduce", "classifier"), _balanced_twice),
    (("gan", "controls"), _controls),
    (("image", "artefacts"), _gray_artefacts),
    (("external",), _no_external_phantom),
    (("classifier",), _frozen),
    (("classifier",), _weighted_twice),
    (("image", "classifier"), _gray_imagenet),
    (("score", "synthesize"), _neighbours),
    (("phantom", "source"), _no_phantom),
]
