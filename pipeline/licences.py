"""What the images' licences say, in the words that archives use."""

import re
from collections import Counter

import pandas as pd

NOT_STATED = "not stated"
NON_COMMERCIAL = re.compile(r"\bnc\b|non-?\s?commercial", re.IGNORECASE)


def licence_counts(reduced: pd.DataFrame, image_ids: "pd.Series[str]") -> list[tuple[str, str, int]]:
    """Licence, attribution and number of the images, the most frequent first.

    Args:
        reduced: data/reduced.csv, all text.
    """
    used = reduced[reduced["image_id"].isin(image_ids)]
    counts = Counter(zip(used["licence"], used["attribution"], strict=True))
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return [(licence or NOT_STATED, attribution or NOT_STATED, count) for (licence, attribution), count in ranked]


def forbids_commerce(licence: str) -> bool:
    """Whether it says so: ``CC-BY-NC`` does, ``CC-0`` does not."""
    return bool(NON_COMMERCIAL.search(licence.replace("_", " ")))
