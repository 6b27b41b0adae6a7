"""The scheme table: every interval lies on its axis where its numbers say."""

import pytest

from pipeline.reporting import intervals
from pipeline.reporting.intervals import Axis, Drawn


def scheme(auc, gains):
    """``gains``: (low, value, high) by key; None where there is nothing to compare with."""
    report = {"auc_ci_low": auc - 0.1, "auc": auc, "auc_ci_high": auc + 0.1}
    for key in intervals.GAINS:
        low, value, high = gains.get(key) or (None, None, None)
        report |= {f"{key}_ci_low": low, key: value, f"{key}_ci_high": high}
    return report


REPORTS = {
    "classic": scheme(0.7, {"auc_gain": (-0.02, 0.03, 0.08), "auc_gain_over_classic": (0.0, 0.0, 0.0)}),
    "gan": scheme(0.6, {"auc_gain": (-0.18, -0.1, -0.02)}),
}


def test_a_place_is_in_percent_of_its_axis():
    assert [Axis(-0.2, 0.6, ()).place(value) for value in (-0.2, 0, 0.6)] == [0, 25, 100]


def test_axes_hold_every_interval_and_gains_hold_zero():
    auc, gain = intervals.auc_axis(REPORTS), intervals.gain_axis(REPORTS)
    assert auc.low <= 0.5
    assert auc.high >= 0.8
    assert gain.low <= -0.18
    assert gain.high >= 0.08
    assert 0 in gain.ticks
    assert (gain.low, gain.high) == (gain.ticks[0], gain.ticks[-1])
    only_up = intervals.gain_axis({"a": scheme(0.7, {"auc_gain": (0.1, 0.2, 0.3)})})
    assert only_up.low <= 0


def test_a_drawn_interval_is_the_printed_one():
    rows = intervals.scheme_rows(REPORTS)
    cell, axis = rows["gan"].gains["baseline"], intervals.gain_axis(REPORTS)
    assert (cell.value, cell.interval) == ("\N{MINUS SIGN}0.100", "\N{MINUS SIGN}0.180 to \N{MINUS SIGN}0.020")
    drawn = [axis.low + place / 100 * (axis.high - axis.low) for place in cell.drawn]
    assert drawn == pytest.approx([-0.18, -0.1, -0.02], abs=1e-4)
    assert isinstance(rows["gan"].auc.drawn, Drawn)


def test_a_scheme_is_not_drawn_against_itself_or_none():
    rows = intervals.scheme_rows(REPORTS)
    assert rows["classic"].gains["classic"].drawn is None  # itself
    assert rows["gan"].gains["placebo"].drawn is None  # none
