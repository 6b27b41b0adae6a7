"""The report's words on what can be told without the lesion, and on how visible "synthetic" is."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from pipeline.reporting.text import Reports, auc_cell

WITHOUT_LESION = {
    "metadata": "sex, age, site and source, no image",
    "sex": "the sex alone, no image",
    "age": "the age alone, no image",
    "site": "the site alone, no image",
    "source": "the source alone, no image",
    "lesion_hidden": "images with the lesion covered",
    "border_only": "the border of the images",
}
AT_SIGHT = 0.9  # AUC from which on synthetic images are said to be told at sight


class Control(NamedTuple):
    """A row of the table."""

    name: str
    seen: str
    asked: str
    auc: str
    images: int
    alarm: bool


def controls(metadata: Reports, views: Reports, synthetic: Reports) -> list[Control]:
    """Every control as it is printed; an alarm where it tells more than it should.

    Args:
        metadata: the content of reports/controls/metadata.json.
        views: that of reports/controls/<view>.json, by view.
        synthetic: that of reports/controls/synthetic_<class>_<seed>.json, by the generator's name.
    """
    labels = [
        _control(name, WITHOUT_LESION[name], "malignant or benign", report, report["auc_ci_low"] > 0.5)
        for name, report in {**metadata, **views}.items()
    ]
    origins = [
        _control(f"detector, {name}", "whole images", "real or synthetic", report, report["auc_ci_low"] > AT_SIGHT)
        for name, report in synthetic.items()
    ]
    return labels + origins


def _control(name: str, seen: str, asked: str, report: Mapping[str, Any], alarm: bool) -> Control:
    value, interval = auc_cell(report)
    return Control(name.replace("_", " "), seen, asked, f"{value} ({interval})", report["test_images"], alarm)
