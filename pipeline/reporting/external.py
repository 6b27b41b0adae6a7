"""The report's words on how the classifiers do on images from elsewhere."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from pipeline.reporting.text import auc_cell, gain_cell


class External(NamedTuple):
    """A set: its name, a sentence about its images and a row for every scheme."""

    name: str
    sentence: str
    rows: list[list[str]]


def external_sets(reports: Mapping[str, Mapping[str, Any]]) -> list[External]:
    """The content of reports/controls/external_<set>.json, by set, as it is printed."""
    return [External(name.replace("_", " "), _sentence(report), _rows(report)) for name, report in reports.items()]


def _sentence(report: Mapping[str, Any]) -> str:
    left_out = sum(report["dropped"].values()) + report["quarantined"]
    return (
        f"{report['images']:,} images, {report['malignant']:,} of them malignant, of {report['groups']:,} patients or "
        f"lesions; of {report['records']:,} records {left_out:,} were left out as unlabelled, not dermoscopic or "
        f"unreadable, and {report['copies']:,} as copies of images that the run has seen."
    )


def _rows(report: Mapping[str, Any]) -> list[list[str]]:
    return [
        [scheme, " (".join(auc_cell(of_scheme)) + ")", _gain(of_scheme)]
        for scheme, of_scheme in report["schemes"].items()
    ]


def _gain(report: Mapping[str, Any]) -> str:
    if "auc_gain_over_classic" not in report:
        return ""
    value, interval = gain_cell(report, "auc_gain_over_classic")
    return f"{value} ({interval})" if interval else value
