"""Our words for labels and classes."""

from collections.abc import Mapping

from pipeline.params.source import Label

LABELS: dict[str, Label] = {  # as the archive has spelled them over the years, lower case
    "benign": "benign",
    "indeterminate": "indeterminate",
    "indeterminate/benign": "indeterminate",
    "indeterminate/malignant": "indeterminate",
    "malignant": "malignant",
    "unknown": "unknown",
    "": "unknown",
}


def label_of(value: str, labels: Mapping[str, Label]) -> Label | None:
    """Our label for a value, by the user's ``labels`` first; None if nobody knows it."""
    return labels.get(value, LABELS.get(value.lower()))
