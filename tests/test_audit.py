"""Planted faults, each of which must raise its alarm, and honest runs, which must not.

Faults that need a run to be planted are in the tests of their stages: label noise and thresholds from test in
test_evaluate.py, a generator that memorised in test_reporting_pairs.py, an artefact twice as frequent in
test_artefacts.py.
"""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from pipeline.metrics.auc_inference import TestSet
from pipeline.metrics.classification import ece
from pipeline.metrics.distribution import prdc
from pipeline.metrics.schemes import Run, compare
from pipeline.params.classifier import CLASSIC, PLACEBO
from pipeline.reporting import audit

NO_PAIRS = pd.DataFrame({"first": [], "second": []})


@pytest.fixture
def splits() -> pd.DataFrame:
    table = pd.DataFrame({"image_id": list("abcdef"), "group_id": [1, 1, 2, 3, 4, 4]})
    return table.assign(split=["train", "train", "train", "val", "test", "test"])


def test_splits_that_keep_groups_and_duplicates_pass(splits: pd.DataFrame) -> None:
    within = pd.DataFrame({"first": ["a", "e", "gone"], "second": ["b", "f", "a"]})  # one image was not packed
    found = audit.splits_apart(splits, within)
    assert not found.alarm
    assert found.found == "None of 4 groups and none of 2 pairs of duplicates lies in two splits."


def test_a_duplicate_across_splits(splits: pd.DataFrame) -> None:
    assert audit.splits_apart(splits, pd.DataFrame({"first": ["a"], "second": ["f"]})).alarm


def test_a_patient_across_splits(splits: pd.DataFrame) -> None:
    found = audit.splits_apart(splits.assign(group_id=[1, 1, 2, 3, 4, 1]), NO_PAIRS)
    assert found.alarm
    assert found.found.startswith("1 groups of patients or lesions and 0 pairs")


def test_second_photographs_of_training_lesions() -> None:
    likeness = np.full(300, 0.2)
    likeness[:3] = 0.9  # within what the search takes for copies by chance
    assert not audit.no_second_photographs({"benign": likeness, "malignant": likeness}, 0.6).alarm
    likeness[:6] = 0.9
    found = audit.no_second_photographs({"benign": likeness, "malignant": likeness}, 0.6)
    assert found.alarm
    assert found.found.startswith("Of 600 real images of val and test 12 are")


def test_unequal_steps() -> None:
    equal = {"classic": {"optimizer_steps": 88}, "gan": {"optimizer_steps": 88}}
    assert not audit.equal_steps(equal).alarm
    found = audit.equal_steps(equal | {"gan": {"optimizer_steps": 880}})
    assert found.alarm
    assert "classic 88 and gan 880" in found.found


@pytest.mark.parametrize("too_sure", [False, True])
def test_miscalibration(too_sure: bool) -> None:
    rng = np.random.default_rng(0)
    risk = rng.random(4000)
    target = (rng.random(4000) < risk).astype(np.int64)
    said = np.where(risk > 0.5, 0.99, 0.01) if too_sure else risk
    report = {"ece": ece(target, said, 10), "ece_at_temperature": 0.0}
    assert audit.calibrated("classic", report).alarm == too_sure


@pytest.mark.parametrize(("images", "hopeless"), [(60, True), (6000, False)])
def test_a_test_split_too_small_for_any_gain(images: int, hopeless: bool) -> None:
    """The detectable gain as evaluate has it, of schemes that do not differ, on few images and on many."""
    rng = np.random.default_rng(0)
    target = (np.arange(images) % 4 == 0).astype(np.int64)
    schemes = (CLASSIC, PLACEBO, "gan")
    scores = {scheme: target + rng.normal(size=(3, images)) for scheme in schemes}
    runs = {scheme: Run(score, score) for scheme, score in scores.items()}
    reports = compare(runs, ["gan"], TestSet(target, np.arange(images)), 0.95)
    found = audit.could_find_a_gain(reports[CLASSIC], {"gan": reports["gan"]})
    assert found.alarm == hopeless
    assert f"{reports['gan']['detectable_gain']:.3f} (gan)" in found.found


def test_training_that_was_cut_short() -> None:
    rising, still = np.array([0.6, 0.7, 0.75]), np.array([0.6, 0.75, 0.755])
    assert audit.trained_to_the_end("classic", [rising, rising]).alarm
    assert not audit.trained_to_the_end("classic", [still, still]).alarm
    assert audit.trained_to_the_end("classic", [np.array([0.7])]).alarm  # one look: nobody knows
    found = audit.trained_to_the_end("classic", [still, rising]).found
    assert "0.752 at the last of 3 looks and 0.725 at the one before" in found


def part(name: str, sensitivity: float, reach: float, few: bool = False) -> dict[str, Any]:
    ends = {"sensitivity_ci_low": sensitivity - reach, "sensitivity_ci_high": sensitivity + reach}
    schemes = {"classic": {"sensitivity": sensitivity, **ends}}
    return {"attribute": "skin tone", "part": name, "few": few, "schemes": schemes}


def test_a_threshold_that_misses_lesions_on_dark_skin() -> None:
    alike = [part("light", 0.55, 0.1), part("tan", 0.45, 0.1), part("dark", 0.2, 0.3, few=True)]
    assert not audit.one_threshold_serves("classic", alike).alarm
    found = audit.one_threshold_serves("classic", [*alike, part("brown", 0.25, 0.15)])
    assert found.alarm
    assert "55 % (45 % to 65 %) by skin tone light, 25 % (10 % to 40 %) by brown" in found.found
    assert not audit.one_threshold_serves("classic", []).alarm


def control(auc: float, reach: float = 0.03) -> dict[str, float]:
    return {"auc": auc, "auc_ci_low": auc - reach, "auc_ci_high": auc + reach}


def test_an_archive_that_predicts_the_label() -> None:
    """By its name alone, though whole images do better; what other controls know is an alarm from there on only."""
    whole = {"auc": 0.85}
    honest = {"metadata": control(0.6), "source": control(0.51), "lesion_hidden": control(0.7)}
    assert not audit.label_needs_lesion(whole, honest).alarm
    assert audit.label_needs_lesion(whole, honest | {"source": control(0.7)}).alarm
    assert audit.label_needs_lesion(whole, honest | {"lesion_hidden": control(0.86)}).alarm


def test_synthetic_images_told_at_sight() -> None:
    assert not audit.told_at_sight({"malignant, seed 0": control(0.91)}).alarm
    assert audit.told_at_sight({"malignant, seed 0": control(0.96)}).alarm
    assert "not tried" in audit.told_at_sight({}).found


def test_a_collapsed_generator() -> None:
    """Three motifs with a little noise, and draws from the distribution itself."""
    rng = np.random.default_rng(0)
    real, new = rng.normal(size=(300, 8)), rng.normal(size=(300, 8))
    motifs = rng.normal(size=(3, 8))[rng.integers(0, 3, 300)] + rng.normal(size=(300, 8)) * 0.01
    recall = {name: prdc(real, drawn, 5).recall for name, drawn in (("new", new), ("motifs", motifs))}
    assert not audit.not_collapsed({"malignant, seed 0": {"recall": recall["new"]}}).alarm
    found = audit.not_collapsed({name: {"recall": share} for name, share in recall.items()})
    assert found.alarm
    assert "motifs (recall 0.0" in found.found
    assert "new" not in found.found


def test_no_artefact_is_looked_for() -> None:
    assert "None was looked for" in audit.artefacts_as_frequent([]).found
