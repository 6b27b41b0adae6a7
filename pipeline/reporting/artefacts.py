"""The report's words on what lies on the skin in real and in synthetic images."""

from collections.abc import Mapping, Sequence
from typing import Any

from pipeline.reporting.text import number, percent

Rate = Mapping[str, Any]


def rate_rows(rates: Sequence[Rate]) -> list[list[str]]:
    """The content of reports/artefacts/rates.json as it is printed, one generator after the other."""
    return [
        [
            f"{rate['class']}, seed {rate['seed']}",
            rate["kind"] + (" !" if changed(rate) else ""),
            f"{found_in(rate, 'real')} of {rate['real_images']:,}",
            f"{found_in(rate, 'synthetic')} of {rate['synthetic_images']:,}",
            f"{number(rate['ratio'], 2)} ({number(rate['ratio_ci_low'], 2)} to {number(rate['ratio_ci_high'], 2)})",
        ]
        for rate in rates
    ]


def found_in(rate: Rate, images: str) -> str:
    """The share of the real or the synthetic images."""
    return percent(rate[f"{images}_found"] / rate[f"{images}_images"])


def shares(rate: Rate) -> str:
    return f"{found_in(rate, 'synthetic')} against {found_in(rate, 'real')}"


def changed(rate: Rate) -> bool:
    """Whether the generator draws it more often than it was shown, or less often, beyond chance."""
    return bool(rate["ratio_ci_low"] > 1 or rate["ratio_ci_high"] < 1)


def detector_rows(detectors: Mapping[str, Mapping[str, float]]) -> list[list[str]]:
    """The content of reports/artefact_detectors.json as it is printed."""
    return [
        [
            kind,
            number(of_kind["auc"]),
            f"{percent(of_kind['sensitivity'])} at {percent(of_kind['false_alarms'])} false alarms",
            f"{of_kind['showing']:,} and {of_kind['without']:,}",
        ]
        for kind, of_kind in detectors.items()
    ]
