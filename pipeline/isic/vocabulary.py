"""Our words for labels, diagnoses and splits."""

from collections.abc import Mapping

from pipeline.params.source import Label

# Codes of HAM10000 and of the ISIC 2018 and 2019 challenges, lower case: the diagnosis in the archive's words.
DIAGNOSES = {
    "ak": "actinic keratosis",
    "akiec": "actinic keratosis or intraepithelial carcinoma",
    "bcc": "basal cell carcinoma",
    "bkl": "benign keratosis",
    "df": "dermatofibroma",
    "mel": "melanoma",
    "nv": "nevus",
    "scc": "squamous cell carcinoma",
    "unk": "",
    "vasc": "vascular lesion",
}

LABELS: dict[str, Label] = {  # lower case
    # as the archive has spelled them over the years
    "benign": "benign",
    "indeterminate": "indeterminate",
    "indeterminate/benign": "indeterminate",
    "indeterminate/malignant": "indeterminate",
    "malignant": "malignant",
    "unknown": "unknown",
    "": "unknown",
    # the codes of DIAGNOSES. HAM10000's authors call akiec non-invasive variants of squamous cell carcinoma, which some
    # regard as its precursors only (Tschandl et al. 2018, doi:10.1038/sdata.2018.161); the field counts akiec and ak
    # as malignant. `labels: {akiec: benign}` says otherwise.
    "ak": "malignant",
    "akiec": "malignant",
    "bcc": "malignant",
    "bkl": "benign",
    "df": "benign",
    "mel": "malignant",
    "nv": "benign",
    "scc": "malignant",
    "unk": "unknown",
    "vasc": "benign",
    # the classes of ISIC 2017
    "melanoma": "malignant",
    "nevus": "benign",
    "seborrheic keratosis": "benign",
}

FLAGS: dict[str, Label] = {"0": "benign", "0.0": "benign", "1": "malignant", "1.0": "malignant"}

SPLITS = {  # lower case
    "train": "train",
    "training": "train",
    "val": "val",
    "valid": "val",
    "validation": "val",
    "test": "test",
    "testing": "test",
}


def label_of(value: str, labels: Mapping[str, Label]) -> Label | None:
    """Our label for a value, by the user's ``labels`` first; None if nobody knows it."""
    return labels.get(value, LABELS.get(value.lower()))


def unless_contradicted(label: str, other: str) -> str:
    """The value of a record's label, where a second field, in words or a 0 or a 1, does not say the opposite.

    Raises:
        ValueError: if one is benign and the other malignant.
    """
    said = {LABELS.get(label.lower()), LABELS.get(other.lower()), FLAGS.get(other)}
    if {"benign", "malignant"} <= said:
        raise ValueError(f"one field says {label!r:.40} and another {other!r:.40}")
    return label


def diagnosis_of(code: str) -> str:
    """What a code stands for; the code itself if nobody knows it."""
    return DIAGNOSES.get(code.lower(), code)
