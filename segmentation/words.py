"""The report's words: the verdict as a sentence, scores and gains as they are printed."""

from collections.abc import Mapping
from typing import Any

from pipeline.reporting.text import DASH, Reports, enumerate_names, number, signed

CLAUSES = {
    "helps": "synthetic pairs helped in {}, which beat both the same training without them and the placebo",
    "harms": "training with synthetic pairs did harm in {}, which fell below the same training without them",
    "no detectable effect": "synthetic pairs had no detectable effect in {}",
    "not tested": "the effect of synthetic pairs in {} could not be tested, as classic or placebo was not trained",
}


def verdict_sentence(reports: Reports) -> str:
    """The answer, from the content of reports/segmentation/schemes/<scheme>.json of the synthetic schemes."""
    if not reports:
        return "No scheme with synthetic pairs was trained, so there is no verdict."
    named = {verdict: [name for name, report in reports.items() if report["verdict"] == verdict] for verdict in CLAUSES}
    clauses = "; ".join(CLAUSES[verdict].format(enumerate_names(names)) for verdict, names in named.items() if names)
    generators = min(report["generators"] for report in reports.values())
    about = "this one generator" if generators == 1 else f"{generators} generators, whose error is included"
    sentence = f"{clauses}: this verdict is about these pairs, this split and {about}"
    gains = [f"{number(r['detectable_gain'])} ({n})" for n, r in reports.items() if r["detectable_gain"] is not None]
    if gains:
        sentence += f". The smallest gain in Dice that is found 19 times in 20 is {enumerate_names(gains)}"
    return f"{sentence[0].upper()}{sentence[1:]}."


def score_cell(report: Mapping[str, Any], key: str) -> str:
    return f"{number(report[key])} ({number(report[f'{key}_ci_low'])} to {number(report[f'{key}_ci_high'])})"


def gain_cell(report: Mapping[str, Any], key: str) -> str:
    """A dash where there is nothing to compare with, or the scheme itself."""
    if report[key] is None or report[f"{key}_ci_low"] == report[f"{key}_ci_high"] == 0:
        return DASH
    return f"{signed(report[key])} ({signed(report[f'{key}_ci_low'])} to {signed(report[f'{key}_ci_high'])})"
