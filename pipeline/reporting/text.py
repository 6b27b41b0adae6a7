"""The report's words and numbers: the verdict as a sentence, numbers as they are printed, counts as rows."""

from collections.abc import Collection, Mapping, Sequence
from statistics import median
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.params.classifier import RealScheme, Scheme

DASH = "–"  # noqa: RUF001, the sign for "nothing here"
LISTED = 5  # entries of a list of counts that are printed
NAMED = 3  # schemes in a sentence; of more it says how many, or the range, as the table under it has them all
Reports = Mapping[str, Mapping[str, Any]]
REFERENCE_ROWS = {
    "random_pairs": "synthetic, against random real images",
    "real_pairs": "real, against other real images",
    "noise_pairs": "uniform noise, against real images",
}
Likeness = Sequence[float] | NDArray[np.float64]


def verdict_sentence(gan_reports: Reports) -> str:
    """The answer, from the content of reports/classifier/<scheme>.json of the GAN schemes."""
    if not gan_reports:
        return "No scheme with synthetic images was trained, so there is no verdict."
    found = {verdict: [s for s, r in gan_reports.items() if r["verdict"] == verdict] for verdict in CLAUSES}
    every = f"each of the {len(gan_reports)} schemes"
    clauses = [
        CLAUSES[verdict].format(every if len(names) == len(gan_reports) > NAMED else enumerate_names(names))
        for verdict, names in found.items()
        if names
    ]
    sentence = f"{'; '.join(clauses)}: {scope(min(report['generators'] for report in gan_reports.values()))}"
    tested = detectable_gains(gan_reports)
    if tested:
        sentence += f". The smallest gain in AUC that is found 19 times in 20 is {tested}"
    return f"{sentence[0].upper()}{sentence[1:]}."


def detectable_gains(gan_reports: Reports) -> str:
    """The smallest gain that each scheme's test finds with ``auc_inference.POWER``; empty where none was tested."""
    found = [(report["detectable_gain"], scheme) for scheme, report in gan_reports.items() if report["detectable_gain"]]
    if len(found) > NAMED:
        return " to ".join(f"{number(gain)} ({scheme})" for gain, scheme in (min(found), max(found)))
    return enumerate_names([f"{number(gain)} ({scheme})" for gain, scheme in found]) if found else ""


def scope(generators: int) -> str:
    """What the verdict is about, by the number of generators of a class whose images the classifiers saw."""
    if generators <= 1:
        return "this verdict is about these images, this split and this one generator of each class"
    return (
        f"this verdict is about these images and this split, and its error includes that of {generators} generators "
        "of each class"
    )


CLAUSES = {
    "helps": "synthetic images helped in {}, which beat both the same training without them and the placebo",
    "harms": "training with synthetic images did harm in {}, which fell below the same training without them",
    "no detectable effect": "synthetic images had no detectable effect in {}",
    "not tested": "the effect of synthetic images in {} could not be tested, as classic or oversample was not trained",
}


def shown_images(scheme: Scheme, report: Mapping[str, Any]) -> str:
    """What the classifiers of a scheme learnt from."""
    synthetic = report["synthetic_images"]
    real = report["train_images"] - synthetic
    repeated = isinstance(scheme, RealScheme) and scheme.duplicates == "balance"
    parts = [
        f"{real:,} real" + (", malignant repeated" if repeated else "") if real else "",
        f"{synthetic:,} synthetic" if synthetic else "",
    ]
    return " + ".join(part for part in parts if part) + (", not augmented" if scheme.augment == "none" else "")


def caveats(reports: Reports, sources: Collection[str]) -> list[str]:
    """What the reader of the verdict must know first."""
    lines = []
    if "phantom" in sources:
        which = "The images are" if len(sources) == 1 else "Some of the images are"
        lines.append(f"{which} procedural phantoms, drawn by this pipeline: the verdict says nothing about patients.")
    if any(not report["intervals_carry_seed_error"] for report in reports.values()):
        lines.append(
            "With one training seed, the intervals leave out how much one training run differs from the next, so they"
            " are too narrow and the verdict is provisional."
        )
    return lines


def weights_sentence(built_with: Mapping[str, Any]) -> str:
    """What the classifiers' training started from, by the model.json of one of them."""
    weights = built_with["weights"]
    if weights == "none":
        return "trained from scratch"
    named = "ImageNet weights" if weights == "imagenet" else f"weights from {weights}"
    return f"{named}, SHA-256 {built_with['weights_sha256']}"


def prediction_sentence(classifier: Any) -> str:
    """What a probability is the mean of."""
    views = {
        "none": "the image as it is",
        "flip": "the image and its mirror image",
        "dihedral": "the image's eight turns",
    }
    return f"A prediction is the mean logit over {views[classifier.test_time_augmentation]}."


def scaled(classifier: Any) -> str:
    """What was changed of an EfficientNet's size, or nothing."""
    changed = {"width": classifier.width, "depth": classifier.depth}
    named = [f"{name} {value:g}" for name, value in changed.items() if value is not None]
    return f" with {enumerate_names(named)}" if named else ""


def extractor_sentence(validation: Mapping[str, Any]) -> str:
    """Whether KID and its kin can be believed, by the content of reports/features.json."""
    halves = f"{validation['halves']['kid']:.3g} ± {validation['halves']['kid_std']:.2g}"
    measured = f"between two halves of {validation['n']:,} real images KID is {halves}"
    damages = [name.replace("_", " ") for name in validation["damages"]]
    if validation["valid"]:
        return f"The feature extractor sees {enumerate_names(damages)}: KID rises with each, and {measured}."
    failed = enumerate_names([name.replace("_", " ") for name in validation["failed"]])
    return (
        f"The feature extractor failed its test on {failed}: do not rank generators by the numbers below. "
        f"It was tried on {enumerate_names(damages)}; {measured}."
    )


def nearness_sentence(drawn: Likeness, held_out: Likeness, nearer: tuple[float, float, float]) -> str:
    """How like the training images are: all that were drawn, and real images of the other splits.

    Args:
        nearer: as ``pairs.Nearness`` has it.
    """
    lie = "{} half are below a likeness of {:.2f}, the most alike is at {:.2f}"
    synthetic = lie.format("Of the images drawn", median(drawn), max(drawn))
    share, low, high = map(percent, nearer)
    return (
        f"{synthetic}; {lie.format('of real images of val and test', median(held_out), max(held_out))}. In {share} of "
        f"all pairs ({low} to {high}) the synthetic image is more like a training image than the real one is; of new "
        "photographs it would be 50 %."
    )


def enumerate_names(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def number(value: float | None, digits: int = 3) -> str:
    return DASH if value is None else f"{value:.{digits}f}"


def percent(share: float | None) -> str:
    """In whole percent; a small share keeps a decimal, so that it is not taken for none."""
    if share is None:
        return DASH
    return f"{100 * share:.{1 if 0 < share < 0.1 else 0}f} %"


def signed(value: float) -> str:
    rounded = round(value, 3)
    return f"{rounded:+.3f}".replace("-", "\N{MINUS SIGN}") if rounded else "0.000"


def tick(value: float) -> str:
    return f"{value:g}"


def signed_tick(value: float) -> str:
    return f"{value:+g}".replace("-", "\N{MINUS SIGN}") if value else "0"


def p_value(value: float | None) -> str:
    if value is None:
        return DASH
    return "< 0.001" if value < 0.001 else f"{value:.3f}"


def auc_cell(report: Mapping[str, Any]) -> tuple[str, str]:
    """The value and its interval."""
    return number(report["auc"]), f"{report['auc_ci_low']:.3f} to {report['auc_ci_high']:.3f}"


def gain_cell(report: Mapping[str, Any], key: str) -> tuple[str, str]:
    """The value and its interval; a dash where a scheme would be compared with itself or with none."""
    low, high = report[f"{key}_ci_low"], report[f"{key}_ci_high"]
    if report[key] is None or low == high == 0:
        return DASH, ""
    return signed(report[key]), f"{signed(low)} to {signed(high)}"


def gain_row(report: Mapping[str, Any], key: str) -> list[str]:
    """A gain with its interval, its p value, and DeLong's; dashes where there is none."""
    value, interval = gain_cell(report, key)
    if not interval:
        return [DASH] * 3
    return [f"{value} ({interval})", p_value(report[f"{key}_p"]), p_value(report[f"{key}_p_delong"])]


def paired(score: Mapping[str, Any]) -> list[str]:
    """The five full-reference measures as they are printed."""
    return [f"{score[name]:.3g}" for name in ("psnr", "ssim", "ms_gmsd", "mdsi", "haarpsi")]


def count_rows(content: Any, path: tuple[str, ...] = ()) -> list[tuple[str, str]]:
    """A stage's counts, of whatever shape, as label and value."""
    if isinstance(content, Mapping) and content:
        return [row for key, value in content.items() for row in count_rows(value, (*path, str(key)))]
    return [(": ".join(part.replace("_", " ") for part in path), plain(content))]


def plain(value: Any) -> str:
    """A value of JSON as a reader would write it."""
    if value is None or value in ({}, [], ""):
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, Mapping):
        return ", ".join(f"{key.replace('_', ' ')} {plain(item)}" for key, item in value.items())
    if isinstance(value, list):
        rest = f" and {len(value) - LISTED} more" if len(value) > LISTED else ""
        return "; ".join(plain(item) for item in value[:LISTED]) + rest
    return str(value)


def setting_rows(settings: Mapping[str, Any], path: tuple[str, ...] = ()) -> list[tuple[str, str]]:
    """Params as dotted key and value, as ``dvc exp run -S`` takes them."""
    rows = []
    for key, value in settings.items():
        if isinstance(value, Mapping) and value:
            rows += setting_rows(value, (*path, key))
        else:
            rows.append((".".join((*path, key)), "null" if value is None else str(value)))
    return rows
