"""Stage subgroups: predictions and metadata in; how every scheme does by sex, age, site, source and skin tone out."""

from pathlib import Path

import numpy as np
import pandas as pd

from pipeline.held_out import SPLITS, read_splits
from pipeline.images import open_images
from pipeline.metrics.subgroups import part_report
from pipeline.params.reader import read_params
from pipeline.predictions import read_runs
from pipeline.schemes import SchemesParams as Params
from pipeline.skin_tone import TONES, tone, typology_angle
from pipeline.stage import run_stage
from pipeline.store import read_csv, write_json

REDUCED = Path("data/reduced.csv")
IMAGES = Path("data/images")
SUBGROUPS = Path("reports/subgroups.json")

AGES = {"under 30": 30, "30 to 44": 45, "45 to 59": 60, "60 to 74": 75, "75 and over": np.inf}  # years, below which
COLUMNS = {"sex": "sex", "site": "anatom_site", "source": "source"}  # of data/reduced.csv
UNKNOWN = "unknown"


def main() -> None:
    params = read_params(Params)
    val, test = read_splits()
    runs = read_runs(params, val, test)
    parts = attributes(test.image_ids)
    confidence = params.evaluate.confidence
    report = [
        {"attribute": name, "part": value}
        | part_report(runs, val.target, test.target, test.group, (values == value).to_numpy(), confidence)
        for name, values in parts.items()
        for value in in_order(values)
    ]
    write_json(SUBGROUPS, report)


def attributes(image_ids: list[str]) -> pd.DataFrame:
    """What is known of each image, (N rows, in this order): sex, age, site, source and, of colour images, skin tone."""
    reduced = read_csv(REDUCED, dtype=str, keep_default_na=False).set_index("image_id").loc[image_ids]
    known = pd.DataFrame({name: reduced[column] for name, column in COLUMNS.items()}).replace("", UNKNOWN)
    known.insert(1, "age", [age_band(age) for age in reduced["age_approx"]])
    images = open_images(IMAGES)
    if images.shape[3] == 3:
        rows = read_csv(SPLITS).set_index("image_id")["row"].loc[image_ids]
        known["skin tone"] = [tone(angle) or UNKNOWN for angle in typology_angle(images[rows.to_numpy()])]
    return known


def age_band(age: str) -> str:
    if not age:
        return UNKNOWN
    return next(name for name, end in AGES.items() if float(age) < end)


def in_order(values: "pd.Series[str]") -> list[str]:
    """Bands as they follow each other, other values by their number of images; what is unknown comes last."""
    order = [*AGES, *TONES]
    counts = values.value_counts()
    return sorted(
        counts.index,
        key=lambda value: (value == UNKNOWN, order.index(value) if value in order else -counts[value], value),
    )


if __name__ == "__main__":
    run_stage(main)
