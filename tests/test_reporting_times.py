"""The report's times: the latest run of each matrix item, summed by stage."""

import pandas as pd
import pytest

from pipeline.reporting.times import Time, duration, stage_times, taken


def log(*rows):
    return pd.DataFrame(rows, columns=["stage", "seconds", "peak_mb"])


def test_the_latest_run_of_every_item_counts_and_the_slowest_stage_comes_first():
    table = log(
        ("split", 9.0, 5.0),
        ("train_gan@benign-0", 99.0, 50.0),
        ("train_gan@benign-0", 20.0, 30.0),
        ("train_gan@benign-1", 5.0, 40.0),
    )
    assert stage_times(table, {"benign-0", "benign-1"}, "report") == [
        Time("train_gan", 2, 25.0, 40.0),
        Time("split", 1, 9.0, 5.0),
    ]


def test_items_of_another_experiment_and_the_stage_itself_are_left_out():
    table = log(
        ("train_gan@benign-0", 1.0, 6.0),
        ("train_gan@benign-7", 2.0, 9.0),
        ("report", 4.0, 9.0),
        ("train_gan@benign-1", 8.0, 9.0),
    )
    assert stage_times(table, {"benign-0"}, "report") == [Time("train_gan", 1, 1.0, 6.0)]


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0.04, "0.0 s"),
        (8.31, "8.3 s"),
        (60, "1 min 0 s"),
        (185.2, "3 min 5 s"),
        (3599.6, "1 h 0 min"),
        (7800, "2 h 10 min"),
    ],
)
def test_a_duration_is_said_in_units_of_its_size(seconds, said):
    assert duration(seconds) == said


def test_memory_is_said_where_it_is_known():
    assert taken(Time("split", 1, 8.31, 1204.4)) == "8.3 s, 1,204 MB"
    assert taken(Time("split", 1, 8.31, float("nan"))) == "8.3 s"
