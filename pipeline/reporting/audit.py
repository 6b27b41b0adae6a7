"""What can make a verdict worthless, asked of every run: each check, what was found, and whether that is an alarm."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.reporting.artefacts import Rate, more_often
from pipeline.reporting.controls import AT_SIGHT, WITHOUT_LESION
from pipeline.reporting.text import Reports, enumerate_names, number, percent, signed

MISCALIBRATED = 0.1  # expected calibration error above which a probability is no risk
COLLAPSED = 0.02  # recall below which a generator draws next to nothing of what it was shown
TAKEN_FOR_COPIES = 0.01  # share of new photographs, at most
Interval = tuple[float, float, float]  # value, low, high


class Check(NamedTuple):
    """``found`` is a sentence that stands alone."""

    asked: str
    found: str
    alarm: bool


def splits_apart(splits: pd.DataFrame, duplicates: pd.DataFrame) -> Check:
    """Whether patients, lesions or duplicate images are in two splits.

    Args:
        splits: data/splits.csv.
        duplicates: data/duplicates.csv.
    """
    groups = splits.groupby("group_id")["split"].nunique()
    split_of = splits.set_index("image_id")["split"]
    pairs = pd.DataFrame({end: duplicates[end].map(split_of) for end in ("first", "second")}).dropna()
    torn, across = int((groups > 1).sum()), int((pairs["first"] != pairs["second"]).sum())
    alarm = torn + across > 0
    found = (
        f"{torn:,} groups of patients or lesions and {across:,} pairs of duplicate images lie in two splits: "
        "classifiers are tested on what they were trained on."
        if alarm
        else f"None of {len(groups):,} groups and none of {len(pairs):,} pairs of duplicates lies in two splits."
    )
    return Check("Are patients, lesions and duplicates kept in one split?", found, alarm)


def no_second_photographs(likeness: Mapping[str, NDArray[np.float64]], copy_likeness: float) -> Check:
    """Whether real images of val and test are as like a training image as a copy is: the splits may have missed them.

    Args:
        likeness: (M,) of held-out images to their most similar training image, by class.
        copy_likeness: from where on a synthetic image counts as a copy.
    """
    held_out = np.concatenate(list(likeness.values()))
    alike = int(np.sum(held_out >= copy_likeness))
    alarm = alike > TAKEN_FOR_COPIES * len(held_out)
    listed = f"{alike:,} of {len(held_out):,} real images of val and test are as like a training image as a copy is"
    found = (
        f"{listed}, where {percent(TAKEN_FOR_COPIES)} may be by chance: second photographs of training lesions may be "
        "among them."
        if alarm
        else f"{listed}; up to {percent(TAKEN_FOR_COPIES)} may be by chance."
    )
    return Check("Are held-out lesions new to the classifiers?", found, alarm)


def equal_steps(reports: Reports) -> Check:
    steps = {scheme: report["optimizer_steps"] for scheme, report in reports.items()}
    alarm = len(set(steps.values())) > 1
    listed = enumerate_names([f"{scheme} {count:,}" for scheme, count in steps.items()])
    found = (
        f"Schemes were trained for unequal numbers of steps ({listed}): a gain may be that of longer training."
        if alarm
        else f"Every scheme was trained for {next(iter(steps.values())):,} steps."
    )
    return Check("Was every scheme trained as long?", found, alarm)


def thresholds_from_val(reports: Reports) -> Check:
    foreign = [scheme for scheme, report in reports.items() if not report["thresholds_from_val"]]
    found = (
        f"Saved thresholds of {enumerate_names(foreign)} are not those that the validation split gives: they may have "
        "been chosen on the test split."
        if foreign
        else "Every saved threshold is the one that the validation split gives."
    )
    return Check("Were thresholds chosen without the test split?", found, bool(foreign))


def test_like_val(scheme: str, report: Mapping[str, Any]) -> Check:
    """Noisy labels in test, or images of another kind, show as a fall from val that chance does not explain."""
    fall = report["auc_fall_from_val"], report["auc_fall_from_val_ci_low"], report["auc_fall_from_val_ci_high"]
    alarm = fall[1] > 0
    found = (
        f"The AUC of {scheme} falls from the validation to the test split by {_interval(fall)}: the labels or "
        "images of test differ from those that training saw; look at both before you believe a comparison."
        if alarm
        else f"The AUC of {scheme} is {_change(fall)} higher on validation than on test images, as chance has it."
    )
    return Check("Do the test labels agree with the validation labels?", found, alarm)


def calibrated(scheme: str, report: Mapping[str, Any]) -> Check:
    alarm = report["ece"] > MISCALIBRATED
    after = f"{number(report['ece_at_temperature'])} after temperature scaling on the validation split"
    found = (
        f"The probabilities of {scheme} are off by {number(report['ece'])} on average ({after}): they rank lesions, "
        "and are no risks."
        if alarm
        else f"The probabilities of {scheme} are off by {number(report['ece'])} on average ({after})."
    )
    return Check("Can a probability be read as a risk?", found, alarm)


def label_needs_lesion(classifier: Mapping[str, Any], without_lesion: Reports) -> Check:
    """Whether the label is told from the archive's name at all, or from anything else as well as from whole images.

    Args:
        classifier: the report of the scheme that sees the whole image.
        without_lesion: of every control, by its name in WITHOUT_LESION.
    """
    told = [
        f"{WITHOUT_LESION[name]} (AUC {_interval((report['auc'], report['auc_ci_low'], report['auc_ci_high']))})"
        for name, report in without_lesion.items()
        if report["auc"] >= classifier["auc"] or (name == "source" and report["auc_ci_low"] > 0.5)
    ]
    found = (
        f"The label is told from {enumerate_names(told)}, from whole images with AUC {number(classifier['auc'])}: "
        "these data let a classifier score without looking at lesions."
        if told
        else f"Nothing that was tried tells the label as well as whole images do (AUC {number(classifier['auc'])})."
    )
    return Check("Does it take the lesion to tell the label?", found, bool(told))


def told_at_sight(synthetic: Reports) -> Check:
    seen = [f"{name} (AUC {number(report['auc'])})" for name, report in synthetic.items() if _at_sight(report)]
    found = (
        f"Synthetic images are told from real ones at sight: {enumerate_names(seen)}. Where they stand for one class, "
        "a classifier can learn that instead."
        if seen
        else "No detector tells synthetic images from real ones at sight."
        if synthetic
        else "It was not tried: controls.synthetic is empty."
    )
    return Check("Are synthetic images hard to tell from real ones?", found, bool(seen))


def _at_sight(report: Mapping[str, Any]) -> bool:
    return bool(report["auc_ci_low"] > AT_SIGHT)


def not_memorised(nearer: Mapping[str, Interval]) -> Check:
    """Whether synthetic images are nearer to training images than new photographs are.

    Args:
        nearer: by class, as ``pairs.Nearness`` has it.
    """
    seen = [f"{_shares(shares)} ({name})" for name, shares in nearer.items() if shares[1] > 0.5]
    listed = enumerate_names([f"{_shares(shares)} ({name})" for name, shares in nearer.items()])
    found = (
        "The generator memorised: of pairs of a synthetic image and a new photograph, the synthetic one is more like a "
        f"training image in {enumerate_names(seen)}, where chance is 50 %."
        if seen
        else f"Of pairs of a synthetic image and a new photograph, the synthetic one is more like a training image in "
        f"{listed}, where chance is 50 %."
    )
    return Check("Does the generator draw new images?", found, bool(seen))


def not_collapsed(scores: Mapping[str, Mapping[str, Any]]) -> Check:
    """Whether some of the training images' variety is drawn.

    Args:
        scores: reports/generators/<class>_<seed>.json, by the generator's name.
    """
    recall = {name: score["recall"] for name, score in scores.items()}
    few = [f"{name} (recall {number(share)})" for name, share in recall.items() if share < COLLAPSED]
    found = (
        f"Synthetic images repeat a few motifs: {enumerate_names(few)} draw next to nothing of what they were shown."
        if few
        else f"Every generator draws of the variety that it was shown: recall {number(min(recall.values()))} or more."
    )
    return Check("Does it draw more than a few motifs?", found, bool(few))


def no_artefacts_added(rates: Sequence[Rate]) -> Check:
    seen = [
        f"{rate['kind']} {number(rate['ratio'], 1)} times as often ({rate['class']}, seed {rate['seed']})"
        for rate in rates
        if more_often(rate)
    ]
    found = (
        f"The detectors find {enumerate_names(seen)} in synthetic images as in those they were learnt from: see what "
        "they found, as a classifier can learn it in place of the lesion."
        if seen
        else "No artefact that was looked for is more frequent in synthetic images than in real ones."
        if rates
        else "None was looked for: artefacts.kinds is empty."
    )
    return Check("Are hair, rulers and ink no more frequent than in real images?", found, bool(seen))


def _interval(interval: Interval) -> str:
    value, low, high = (number(end) for end in interval)
    return f"{value} ({low} to {high})"


def _shares(interval: Interval) -> str:
    value, low, high = (percent(end) for end in interval)
    return f"{value} ({low} to {high})"


def _change(interval: Interval) -> str:
    value, low, high = (signed(end) for end in interval)
    return f"{value} ({low} to {high})"
