"""Who was photographed: patients, their lesions, the photographs of each, and the faults of an archive."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import cast

import numpy as np
from numpy.typing import NDArray

from pipeline.dermoscopy.camera import ImageType
from pipeline.dermoscopy.faults import COPIES, Fault, Flaw, draw_flaws
from pipeline.dermoscopy.photograph import Scene
from pipeline.dermoscopy.skin import TONE_SHARES
from pipeline.dermoscopy.traits import draw_latents, malignancy_score, visible_traits
from pipeline.seeding import derive_seed

LESIONS_PER_PATIENT = (0.45, 0.3, 0.15, 0.1)  # 1 to 4
PHOTOGRAPHS_PER_LESION = (0.7, 0.22, 0.08)  # 1 to 3
SITES = ("anterior torso", "posterior torso", "lateral torso", "upper extremity", "lower extremity", "head/neck")


@dataclass(frozen=True)
class Patient:
    key: str  # unique, the source of the public id and of the seeds
    age: int | None  # years, to the nearest 5
    sex: str | None


@dataclass(frozen=True)
class Lesion:
    key: str
    patient: Patient
    site: str | None
    target: int  # 0 benign, 1 malignant
    score: float  # log likelihood ratio of malignant to benign, nats


@dataclass(frozen=True)
class Record:
    """One image of the archive. A copy has the scene of another record and a lesion and a patient of its own."""

    number: int  # from 1
    lesion: Lesion
    scene: Scene
    flaw: Flaw
    duplicate_of: "Record | None" = None

    @property
    def name(self) -> str:
        return f"PHANTOM_{self.number:07d}"


def draw_cohort(
    images: int,
    malignant: float,
    rates: Mapping[Fault, float],
    seed: int,
    tone_shares: Sequence[float] = TONE_SHARES,
) -> list[Record]:
    """Exactly ``images`` records, in the order of their numbers.

    Args:
        malignant: share of malignant lesions, and nearly that of photographs.
        rates: share of all records, for each fault; their sum is at most 1/2, so that every copy has its original.
        tone_shares: of the types of skin of the population, Fitzpatrick I to VI.
    """
    generator = np.random.default_rng(derive_seed(seed, "phantom", "cohort"))
    flaws = draw_flaws(images, rates, generator)
    places = generator.permutation([number for number, flaw in flaws.items() if flaw.fault not in COPIES])
    photographs = _draw_photographs(len(places), malignant, generator, seed, tuple(tone_shares))
    records = {
        int(number): _record(int(number), lesion, scene, flaws[number])
        for number, (lesion, scene) in zip(places, photographs, strict=True)
    }
    copies = [number for number, flaw in flaws.items() if flaw.fault in COPIES]
    originals = generator.permutation(sorted(number for number in records if not flaws[number].fault))[: len(copies)]
    for number, original in zip(copies, originals, strict=True):
        records[number] = _copy(records[int(original)], number, flaws[number], generator)
    return [records[number] for number in sorted(records)]


def _record(number: int, lesion: Lesion, scene: Scene, flaw: Flaw) -> Record:
    if flaw.fault == "non_dermoscopic":
        scene = replace(scene, image_type=cast(ImageType, flaw.variant))
    return Record(number, lesion, scene, flaw)


def _draw_photographs(
    count: int, malignant: float, generator: np.random.Generator, seed: int, tone_shares: tuple[float, ...]
) -> list[tuple[Lesion, Scene]]:
    """Exactly ``count`` photographs, lesion after lesion."""
    repeats = _photographs_per_lesion(count, generator)
    targets = _spread_targets(repeats, malignant, generator)
    continuous, colours = draw_latents(targets, generator)
    scores = malignancy_score(continuous, colours)
    patients = _draw_patients(len(repeats), generator)
    photographs: list[tuple[Lesion, Scene]] = []
    for k, patient in enumerate(patients):
        lesion = Lesion(f"lesion/{k}", patient, _draw_site(generator), int(targets[k]), float(scores[k]))
        traits = visible_traits(continuous[k], int(colours[k]))
        seeds = derive_seed(seed, "phantom", patient.key), derive_seed(seed, "phantom", lesion.key)
        for _ in range(repeats[k]):
            of_photograph = derive_seed(seed, "phantom", len(photographs))
            scene = Scene(traits, *seeds, of_photograph, tone_shares=tone_shares)
            photographs.append((lesion, scene))
    return photographs


def _photographs_per_lesion(count: int, generator: np.random.Generator) -> NDArray[np.int64]:
    """Returns: one number per lesion; their sum is ``count``."""
    repeats = 1 + generator.choice(len(PHOTOGRAPHS_PER_LESION), count, p=PHOTOGRAPHS_PER_LESION)
    total = np.minimum(np.cumsum(repeats), count)
    repeats = np.diff(total, prepend=0)
    return repeats[repeats > 0]


def _spread_targets(repeats: NDArray[np.int64], malignant: float, generator: np.random.Generator) -> NDArray[np.int64]:
    """Classes of the lesions: the same share malignant among those with one, two and three photographs, to one lesion.

    Returns: (L,), 0 or 1.
    """
    order = np.lexsort((generator.random(len(repeats)), repeats))
    steps = np.floor(np.arange(len(repeats) + 1) * malignant + 0.5)
    targets = np.empty(len(repeats), dtype=np.int64)
    targets[order] = np.diff(steps).astype(np.int64)
    return targets


def _draw_patients(lesions: int, generator: np.random.Generator) -> list[Patient]:
    """The patient of each lesion; those of one patient follow each other."""
    patients: list[Patient] = []
    while len(patients) < lesions:
        patient = _draw_patient(f"patient/{len(patients)}", generator)
        patients += [patient] * int(1 + generator.choice(len(LESIONS_PER_PATIENT), p=LESIONS_PER_PATIENT))
    return patients[:lesions]


def _draw_patient(key: str, generator: np.random.Generator) -> Patient:
    age = int(np.clip(5 * np.rint(generator.normal(52, 17) / 5), 10, 85))
    sex = str(generator.choice(["female", "male"]))
    known = generator.random(2) > 0.02
    return Patient(key, age if known[0] else None, sex if known[1] else None)


def _draw_site(generator: np.random.Generator) -> str | None:
    return str(generator.choice(SITES)) if generator.random() > 0.05 else None


def _copy(original: Record, number: int, flaw: Flaw, generator: np.random.Generator) -> Record:
    """The same photograph entered once more, as if of somebody else: only the picture gives it away."""
    patient = _draw_patient(f"patient/duplicate/{number}", generator)
    lesion = Lesion(
        f"lesion/duplicate/{number}", patient, _draw_site(generator), original.lesion.target, original.lesion.score
    )
    return Record(number, lesion, original.scene, flaw, original)
