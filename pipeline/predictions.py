"""The classifiers' predictions for val and test, held against the splits that they must be about."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from pipeline.errors import InputError
from pipeline.held_out import SPLITS, Split
from pipeline.metrics.ranking import Score
from pipeline.metrics.schemes import Run
from pipeline.schemes import SchemesParams
from pipeline.seeding import generator_seed
from pipeline.store import read_csv

PREDICTIONS = Path("data/predictions")


def read_runs(params: SchemesParams, val: Split, test: Split) -> dict[str, Run]:
    """The predictions of every scheme, real ones first; those of synthetic schemes with the generator of each seed."""
    generator = np.array([generator_seed(seed, params.gan_seeds) for seed in params.seeds])
    runs = {scheme: read_run(scheme, params.seeds, val, test) for scheme in params.real_schemes}
    for scheme in params.synthetic_schemes:
        runs[scheme] = replace(read_run(scheme, params.seeds, val, test), generator=generator)
    return runs


def read_run(scheme: str, seeds: list[int], val: Split, test: Split) -> Run:
    """The predictions of all seeds. Raises InputError where they are not about these splits."""
    val_scores, test_scores = [], []
    for seed in seeds:
        path = PREDICTIONS / scheme / f"{seed}.csv"
        table = read_csv(path)
        missing = {"image_id", "split", "target", "probability"} - set(table.columns)
        if missing:
            raise InputError(f"{path} lacks the column {', '.join(sorted(missing))}; train that scheme again")
        val_scores.append(_probabilities(table, val, path))
        test_scores.append(_probabilities(table, test, path))
    return Run(np.stack(val_scores), np.stack(test_scores))


def _probabilities(table: pd.DataFrame, split: Split, path: Path) -> Score:
    """(N,) in the order of the split's images."""
    rows = table[table["split"] == split.name].sort_values("image_id")
    if list(rows["image_id"]) != split.image_ids:
        raise InputError(_mismatch(list(rows["image_id"]), split, path))
    if np.any(rows["target"].to_numpy() != split.target):
        raise InputError(f"{path} has other {split.name} labels than {SPLITS}; train that scheme again")
    probability = rows["probability"].to_numpy(dtype=np.float64)
    if not np.all((probability >= 0) & (probability <= 1)):
        raise InputError(f"{path} has a probability that is missing or outside [0, 1]; train that scheme again")
    return probability


def _mismatch(image_ids: list[str], split: Split, path: Path) -> str:
    odd = set(image_ids) ^ set(split.image_ids) or {name for name in image_ids if image_ids.count(name) > 1}
    return (
        f"{path} has {len(image_ids)} {split.name} images, {SPLITS} has {len(split.image_ids)}, and they differ,"
        f" first in {min(odd)}; train that scheme again"
    )
