"""The report's data section: what became of every record, labels by what is known, duplicates, splits, licences."""

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

import pandas as pd
from numpy.typing import NDArray

from pipeline.reporting.pictures import pair_picture

SPLIT_NAMES = ("train", "val", "test")
LABELS = ("benign", "malignant", "indeterminate", "unknown")
NOT_NAMED = {"(other)": "other values", "(none)": "not stated"}  # values that come last, and how they are printed
FIGURES = {  # key of by_label in reports/ingest.json: title
    "diagnosis": "Diagnosis",
    "sex": "Sex",
    "age_group": "Age in years",
    "anatom_site": "Part of the body",
    "source": "Source",
}
REASONS = {  # key of dropped in reports/reduce.json: why
    "synthetic": "marked as synthetic",
    "not_dermoscopic": "not dermoscopic",
    "indeterminate": "neither benign nor malignant",
    "unlabelled": "without a label",
}
TURNED = {  # how the turn of the second image of a pair is said
    "identity": "",
    "mirror": "mirrored left to right",
    "flip": "mirrored top to bottom",
    "rotate90": "turned left by 90°",
    "rotate180": "turned by 180°",
    "rotate270": "turned right by 90°",
    "transpose": "mirrored at one diagonal",
    "transverse": "mirrored at the other diagonal",
}
UNEXPLAINED = "not accounted for"
PAIRS, MOVED, PAIR_SIZE = 24, 20, 96  # duplicate pairs and moved images that are shown; px of each image of a pair


class FlowRow(NamedTuple):
    """Images that reached a step, were lost on the way to it, or are a part of the last; with its bar."""

    kind: Literal["total", "loss", "part"]
    name: str
    images: int
    start: float  # of its bar, in % of all records
    length: float

    @property
    def printed(self) -> str:
        return f"{-self.images:+,}".replace("-", "\N{MINUS SIGN}") if self.kind == "loss" else f"{self.images:,}"


class LabelBar(NamedTuple):
    """The images with one value; for each label its count and length in % of the longest bar."""

    name: str
    images: int
    malignant: float | None  # share of the benign and malignant ones
    labels: dict[str, tuple[int, float]]


class DuplicatePair(NamedTuple):
    picture: str
    names: tuple[str, str]
    alike: str
    classes: tuple[str, str] | None  # where the two differ


def flow_rows(counts: Mapping[str, Mapping[str, Any]], reduced_to: str, moved: Mapping[str, int]) -> list[FlowRow]:
    """Every record, from step to step; each step's rows and losses add up to the rows of the step before.

    Args:
        counts: the content of reports/<stage>.json of ingest, reduce, prepare and split, by stage.
        reduced_to: the size and balance that reduce was asked for.
        moved: images that are in a split because their group is, by split.
    """
    steps = flow_steps(counts, reduced_to)
    left = whole = steps[0][1]
    rows = []
    for name, count, losses in steps:
        for reason, lost in {**losses, UNEXPLAINED: left - count - sum(losses.values())}.items():
            if lost:
                left -= lost
                rows.append(flow_row("loss", reason, lost, left, whole))
        rows.append(flow_row("total", name, count, 0, whole))
    start = 0
    for split in SPLIT_NAMES:
        name = f"{split}, {moved[split]:,} of them moved here with their group" if moved.get(split) else split
        rows.append(flow_row("part", name, counts["split"][split]["images"], start, whole))
        start += rows[-1].images
    return rows


def flow_row(kind: Literal["total", "loss", "part"], name: str, count: int, start: int, whole: int) -> FlowRow:
    scale = 100 / max(whole, 1)
    return FlowRow(kind, name, count, round(start * scale, 3), round(abs(count) * scale, 3))


def flow_steps(counts: Mapping[str, Mapping[str, Any]], reduced_to: str) -> list[tuple[str, int, dict[str, int]]]:
    """Name, images that reached it, and images lost before it by reason, of every step."""
    ingest, reduce, prepare, split = (counts[stage] for stage in ("ingest", "reduce", "prepare", "split"))
    sources = ingest["sources"].values()
    unreadable = {
        "record that cannot be read": sum(source["unreadable"]["count"] for source in sources),
        "image id that came before": sum(source["duplicate_ids"]["dropped"] for source in sources),
        "image that an earlier source has": ingest["repeated"]["images"],
    }
    dropped = {REASONS.get(reason, reason.replace("_", " ")): count for reason, count in reduce["dropped"].items()}
    quarantined = {f"file quarantined: {reason}": count for reason, count in prepare["quarantined"].items()}
    return [
        ("Records", sum(source["records"] for source in sources), {}),
        ("Images with metadata", ingest["rows"], unreadable),
        ("Chosen", reduce["kept"], {**dropped, f"left out by reduction to {reduced_to}": reduce["not_chosen"]}),
        ("Packed", prepare["packed"], quarantined),
        ("In the splits", sum(split[name]["images"] for name in SPLIT_NAMES), {}),
    ]


def label_figures(by_label: Mapping[str, Mapping[str, Mapping[str, int]]]) -> dict[str, list[LabelBar]]:
    """Title to bars, the longest first, ages in their order, what is not named last."""
    figures = {}
    for column, title in FIGURES.items():
        totals = {value: sum(labels.values()) for value, labels in by_label[column].items()}
        values = in_order(totals, by_age=column == "age_group")
        figures[title] = [label_bar(value, by_label[column][value], max(totals.values())) for value in values]
    return figures


def in_order(totals: Mapping[str, int], *, by_age: bool) -> list[str]:
    def place(value: str) -> tuple[bool, int, str]:
        return value in NOT_NAMED, first_year(value) if by_age else -totals[value], value

    return sorted(totals, key=place)


def first_year(age_group: str) -> int:
    """Of ``30-39``, 30."""
    first = age_group.partition("-")[0]
    return int(first) if first.isdigit() else 0


def label_bar(value: str, labels: Mapping[str, int], longest: int) -> LabelBar:
    benign, malignant = labels.get("benign", 0), labels.get("malignant", 0)
    return LabelBar(
        NOT_NAMED.get(value, value),
        sum(labels.values()),
        malignant / (benign + malignant) if benign + malignant else None,
        {label: (labels[label], round(100 * labels[label] / longest, 3)) for label in LABELS if labels.get(label)},
    )


def duplicate_pairs(duplicates: pd.DataFrame, images: NDArray[Any]) -> list[DuplicatePair]:
    """The first PAIRS, those of different labels before all, then those that differ most.

    Args:
        duplicates: data/duplicates.csv.
        images: (N, H, W, C) in [0, 255], by row.
    """
    agree = duplicates["first_target"] == duplicates["second_target"]
    ranked = duplicates.assign(agree=agree, same=duplicates["kind"] == "file").sort_values(
        ["agree", "same", "distance", "first", "second"], ascending=[True, True, False, True, True]
    )
    return [duplicate_pair(pair, images) for pair in ranked.head(PAIRS).to_dict("records")]


def duplicate_pair(pair: Mapping[Any, Any], images: NDArray[Any]) -> DuplicatePair:
    picture = pair_picture(images[pair["first_row"]], images[pair["second_row"]], pair["turn"], PAIR_SIZE)
    turned = TURNED[pair["turn"]]
    alike = (
        "the same file"
        if pair["kind"] == "file"
        else f"alike, distance {pair['distance']}, correlation {pair['correlation']:.2f}"
    )
    targets = pair["first_target"], pair["second_target"]
    return DuplicatePair(
        picture,
        (pair["first"], pair["second"]),
        f"{alike}; second shown {turned}" if turned else alike,
        None if targets[0] == targets[1] else (LABELS[targets[0]], LABELS[targets[1]]),
    )


def pair_counts(duplicates: pd.DataFrame) -> dict[str, int]:
    """Pairs of the same file, pairs that look alike, and those of both whose labels differ."""
    return {
        "file": int((duplicates["kind"] == "file").sum()),
        "look": int((duplicates["kind"] == "look").sum()),
        "different_labels": int((duplicates["first_target"] != duplicates["second_target"]).sum()),
    }


def split_rows(splits: pd.DataFrame) -> list[tuple[str, ...]]:
    """Split, images, malignant images and groups."""
    parts = [(name, splits[splits["split"] == name]) for name in SPLIT_NAMES]
    counts = [(name, len(part), int(part["target"].sum()), part["group_id"].nunique()) for name, part in parts]
    return [(name, *(f"{count:,}" for count in row)) for name, *row in counts]


def source_rows(by_source: Mapping[str, Mapping[str, int]]) -> list[tuple[str, ...]]:
    """Source, and its images in each split."""
    return [(source, *(f"{counts[name]:,}" for name in SPLIT_NAMES)) for source, counts in by_source.items()]
