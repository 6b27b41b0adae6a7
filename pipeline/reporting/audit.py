"""What can make a verdict worthless, asked of every run: each check, what was found, and whether that is an alarm."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.reporting.artefacts import Rate, changed, shares
from pipeline.reporting.controls import AT_SIGHT, WITHOUT_LESION
from pipeline.reporting.text import Reports, detectable_gains, enumerate_names, number, percent, signed

MISCALIBRATED = 0.1  # expected calibration error above which a probability is no risk
COLLAPSED = 0.02  # recall below which a generator draws next to nothing of what it was shown
NAMED = 3  # artefacts in a sentence, those whose rates differ most
STILL_RISING = 0.01  # of the validation AUC between the last two looks
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
    listed = f"Of {len(held_out):,} real images of val and test {alike:,} are as like a training image as a copy is"
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
        else f"The AUC of {scheme} falls from validation to test images by no more than chance has it: {_change(fall)}."
    )
    return Check("Does a classifier do as well on test as on validation images?", found, alarm)


def calibrated(scheme: str, report: Mapping[str, Any]) -> Check:
    alarm = report["ece"] > MISCALIBRATED
    off = (
        f"the probabilities of {scheme} are off by {number(report['ece'])} on average (alarm at {MISCALIBRATED}), by "
        f"{number(report['ece_at_temperature'])} after temperature scaling on the validation split"
    )
    found = (
        f"Do not read a probability as the chance of a malignant lesion: {off}. They still rank lesions."
        if alarm
        else f"{off[0].upper()}{off[1:]}."
    )
    return Check("Can a probability be read as a risk?", found, alarm)


def label_needs_lesion(classifier: Mapping[str, Any], without_lesion: Reports) -> Check:
    """Whether the label is told from the archive's name at all, or from anything else as well as from whole images.

    Args:
        classifier: the report of the scheme that sees the whole image.
        without_lesion: of every control, by its name in WITHOUT_LESION.
    """
    told = {
        name: report
        for name, report in without_lesion.items()
        if report["auc"] >= classifier["auc"] or (name == "source" and report["auc_ci_low"] > 0.5)
    }
    whole = number(classifier["auc"])
    found = (
        f"The label is told from {_with_auc(told)}, from whole images with AUC {whole}: these data let a classifier "
        "score without looking at lesions."
        if told
        else f"The label is told less well than from whole images (AUC {whole}): {_with_auc(without_lesion)}."
    )
    return Check("Does it take the lesion to tell the label?", found, bool(told))


def told_at_sight(synthetic: Reports) -> Check:
    asked = "Do synthetic images pass for real ones?"
    if not synthetic:
        return Check(asked, "It was not tried: controls.synthetic is empty.", False)
    alarm = any(report["auc_ci_low"] > AT_SIGHT for report in synthetic.values())
    remedy = "where they stand for one class, a classifier can learn that instead"
    found = (
        f"A classifier that learnt to tell synthetic images from real ones succeeds on {_with_auc(synthetic)}: "
        f"{remedy if alarm else f'alarm at {AT_SIGHT:g}'}."
    )
    return Check(asked, found, alarm)


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
        f"{listed}, where chance is 50 %. Far below, images are unlike any lesion rather than new."
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
        else f"Every one draws {percent(min(recall.values()))} or more of the variety that it was shown (recall, "
        f"alarm at {percent(COLLAPSED)})."
    )
    return Check("Does it draw more than a few motifs?", found, bool(few))


def artefacts_as_frequent(rates: Sequence[Rate]) -> Check:
    """More of an artefact on malignant images, or less, is something else than the lesion that tells the label."""
    asked = "Are hair, rulers and ink as frequent as in real images?"
    if not rates:
        return Check(asked, "None was looked for: artefacts.kinds is empty.", False)
    other = sorted(filter(changed, rates), key=lambda rate: -abs(np.log(rate["ratio"])))
    named = [f"{rate['kind']} {shares(rate)} ({rate['class']}, seed {rate['seed']})" for rate in other[:NAMED]]
    if len(other) > NAMED:
        named.append(f"{len(other) - NAMED} more")
    found = (
        f"Artefacts are found in other shares of synthetic than of real images: {enumerate_names(named)}. A classifier "
        "can learn them in place of the lesion; look at what was found, as on synthetic images the detectors may err."
        if other
        else "No artefact that was looked for is more or less frequent in synthetic images than in real ones."
    )
    return Check(asked, found, bool(other))


def trained_to_the_end(scheme: str, val_auc: Sequence[NDArray[np.float64]]) -> Check:
    """Whether the validation AUC stood still when training ended.

    Args:
        val_auc: of every seed, (L,) one for each look.
    """
    looks = np.mean(val_auc, axis=0)
    rise = looks[-1] - looks[-2] if len(looks) > 1 else np.inf
    alarm = bool(rise > STILL_RISING)
    at_end = (
        f"The validation AUC of {scheme}, mean over seeds, was {number(looks[-1])} at the last of {len(looks)} looks"
    )
    before = f"{at_end} and {number(looks[-2])} at the one before" if len(looks) > 1 else at_end
    found = f"{before}: trained for longer, the schemes may come out otherwise." if alarm else f"{before}."
    return Check("Had the classifiers learnt what they could?", found, alarm)


def could_find_a_gain(reference: Mapping[str, Any], gan_reports: Reports) -> Check:
    """Whether the test could have found a gain that may be there: half of the way to a perfect AUC.

    Args:
        reference: the report of classic, from which a scheme starts.
    """
    asked = "Could the test have found a gain?"
    tested = [report["detectable_gain"] for report in gan_reports.values() if report["detectable_gain"] is not None]
    if not tested:
        return Check(asked, "No scheme with synthetic images was tested.", False)
    room = 1 - reference["auc"]
    alarm = bool(max(tested) > room / 2)
    listed = f"is {detectable_gains(gan_reports)}, and {number(room)} is all that classic leaves to gain"
    found = (
        f"The test could hardly have found a gain: the smallest that it finds 19 times in 20 {listed}. With more test "
        "images and more seeds it would find smaller ones."
        if alarm
        else f"The smallest gain that is found 19 times in 20 {listed}."
    )
    return Check(asked, found, alarm)


def one_threshold_serves(scheme: str, parts: Sequence[Mapping[str, Any]]) -> Check:
    """Whether the sensitivity is the same in all parts of the test split: two intervals that do not meet are an alarm.

    Args:
        parts: the content of reports/subgroups.json; those with few images are left out.
    """
    sensitivities: dict[str, dict[str, Interval]] = {}
    for part in parts:
        if part["schemes"] and not part["few"]:
            of_scheme = part["schemes"][scheme]
            ends = (of_scheme["sensitivity"], of_scheme["sensitivity_ci_low"], of_scheme["sensitivity_ci_high"])
            sensitivities.setdefault(part["attribute"], {})[part["part"]] = ends
    apart = []
    for attribute, of_part in sensitivities.items():
        best, worst = max(of_part, key=lambda name: of_part[name][1]), min(of_part, key=lambda name: of_part[name][2])
        if of_part[worst][2] < of_part[best][1]:
            apart.append(f"{_shares(of_part[best])} by {attribute} {best}, {_shares(of_part[worst])} by {worst}")
    found = (
        f"One threshold does not serve all: of malignant lesions {scheme} calls {'; '.join(apart)}."
        if apart
        else f"No two parts by {enumerate_names(list(sensitivities))} differ in {scheme}'s sensitivity beyond chance."
        if sensitivities
        else "The metadata do not part the test split."
    )
    return Check("Does one threshold serve all patients?", found, bool(apart))


def _with_auc(reports: Reports) -> str:
    aucs = {name: (report["auc"], report["auc_ci_low"], report["auc_ci_high"]) for name, report in reports.items()}
    return enumerate_names([f"{WITHOUT_LESION.get(name, name)} (AUC {_interval(auc)})" for name, auc in aucs.items()])


def _interval(interval: Interval) -> str:
    value, low, high = (number(end) for end in interval)
    return f"{value} ({low} to {high})"


def _shares(interval: Interval) -> str:
    value, low, high = (percent(end) for end in interval)
    return f"{value} ({low} to {high})"


def _change(interval: Interval) -> str:
    value, low, high = (signed(end) for end in interval)
    return f"{value} ({low} to {high})"
