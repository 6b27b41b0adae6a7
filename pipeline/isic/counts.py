"""What the metadata table holds, in numbers: values, labels by value, and rows that repeat an image's id."""

from collections import Counter
from typing import Any

import numpy as np
import pandas as pd

LISTED = 20  # the most common values, or the first names, that the report keeps
BY_LABEL = ("diagnosis", "sex", "age_group", "anatom_site", "source")
BY_LABEL_LISTED = 12  # the most common values of each, as many as a figure has room for
OLDEST = 120  # years; an age that is higher or below 0 is a typing error


def counted(column: pd.Series, listed: int = LISTED) -> dict[str, int]:
    """How often each value occurs; the empty one is ``(none)``, the rare ones together ``(other)``."""
    return most_common(occurrences(named(column)), listed)


def occurrences(column: pd.Series) -> Counter[str]:
    return Counter({str(value): int(count) for value, count in column.value_counts().items()})


def named(column: pd.Series) -> pd.Series:
    """The column, its empty values with a name that can be shown."""
    return column.replace("", "(none)")


def most_common(counts: Counter[str], listed: int = LISTED) -> dict[str, int]:
    """The ``listed`` most common values, ties in the order of the values; the rest together are ``(other)``."""
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    kept = dict(ranked[:listed])
    rest = sum(count for _, count in ranked[listed:])
    return {**kept, "(other)": kept.get("(other)", 0) + rest} if rest else kept


def by_label(table: pd.DataFrame) -> dict[str, dict[str, dict[str, int]]]:
    """Counts of labels by value, of the columns BY_LABEL.

    Args:
        table: data/metadata.csv, all text.

    Returns: column to value to label to count, 0 where a label of the table does not occur with a value; the values
        that are not among the BY_LABEL_LISTED most common together are ``(other)``, empty ones ``(none)``.
    """
    ages = table["age_approx"]
    table = table.assign(age_group=ages.map({age: age_group(age) for age in ages.unique()}))
    labels = sorted(table["label"].unique())
    counts: dict[str, dict[str, dict[str, int]]] = {}
    for column in BY_LABEL:
        values = named(table[column])
        kept = counted(values, BY_LABEL_LISTED)
        counts[column] = {value: dict.fromkeys(labels, 0) for value in kept}
        for (value, label), count in Counter(zip(values.tolist(), table["label"].tolist(), strict=True)).items():
            counts[column][value if value in kept else "(other)"][label] += count
    return counts


def age_group(age: str) -> str:
    """The decade, as ``30-39``; empty where an age is no number of years."""
    try:
        years = float(age)
    except ValueError:
        return ""
    if not 0 <= years < OLDEST:
        return ""
    decade = int(years // 10 * 10)
    return f"{decade}-{decade + 9}"


def repeated_ids(table: pd.DataFrame) -> dict[str, Any]:
    """Rows dropped because their image id had come before, and those of them that say something else.

    Args:
        table: every row that was read, the first of an image id being the one that is kept.

    Returns: how many were ``dropped``; how many of them are ``conflicting``; the ``first`` conflicts, column by column.
    """
    table = table.drop(columns="origin")  # where a record stands is no contradiction
    again = table[table["image_id"].duplicated()]
    kept = table.drop_duplicates("image_id").set_index("image_id", drop=False).loc[again["image_id"]]
    differs = kept.to_numpy() != again.to_numpy()
    rows, columns = np.nonzero(differs)
    first = [
        {
            "image_id": again["image_id"].iat[row],
            "column": table.columns[column],
            "kept": kept.iat[row, column],
            "dropped": again.iat[row, column],
        }
        for row, column in zip(rows[:LISTED].tolist(), columns[:LISTED].tolist(), strict=True)
    ]
    return {"dropped": len(again), "conflicting": int(differs.any(axis=1).sum()), "first": first}
