"""The table of hot paths: its arithmetic, and that both ways do the same work."""

import numpy as np
import pytest
import torch

from benchmarks import speed
from benchmarks.hot_paths import HotPath, counted_flops, duplicates, measures

CPU = torch.device("cpu")


def test_the_ratio_is_that_of_rates_and_the_share_that_of_the_machines(monkeypatch) -> None:
    times = iter([4.0, 2.0, 6.0, 2.0, 4.0, 1.0])  # plain and ours, three rounds
    monkeypatch.setattr(speed, "seconds", lambda call, device: next(times))
    path = HotPath("a path", "images", 10, int, int, plain_units=5, floor=2, flops=4e9, note="a note")
    assert speed.row(path, rounds=3, device=CPU, limit=10e9) == (
        "| a path | 1.2 images/s | 5.0 images/s | 6.00 (4.00 to 8.00) | 2 | 20% | a note |"
    )


def test_what_other_processes_do_is_timed_by_them() -> None:
    path = HotPath("a path", "images", 10, lambda: 2.0, lambda: 4.0, plain_units=10, floor=1, timed=True)
    assert "| 2.5 images/s | 5.0 images/s | 2.00 (2.00 to 2.00) |" in speed.row(path, 1, CPU, limit=1.0)


def test_flops_are_those_of_a_product_of_matrices() -> None:
    assert counted_flops(lambda: torch.ones(3, 5) @ torch.ones(5, 7)) == 2 * 3 * 5 * 7


def test_both_ways_of_the_paired_measures_agree(monkeypatch) -> None:
    monkeypatch.setattr(measures, "PAIRS", 4)
    monkeypatch.setattr(measures, "PLAIN_PAIRS", 4)
    found = {}
    monkeypatch.setattr(measures, "mean_measures", lambda *pairs: found.update(MEAN_MEASURES(*pairs)))
    (path,) = measures.paths(CPU, None)
    path.ours()
    assert found == pytest.approx({name: np.mean(values) for name, values in path.plain().items()}, rel=1e-4)


MEAN_MEASURES = measures.mean_measures


def test_the_plain_search_finds_the_turned_copy() -> None:
    rng = np.random.default_rng(0)
    picture = rng.integers(0, 256, (9, 9), dtype=np.uint8)
    codes = [duplicates.perceptual_hash(image(turn)) for turn in (picture, rng.permutation(picture), picture[:, ::-1])]
    assert duplicates.all_pairs(codes) == [(0, 2)]


def image(pixels: np.ndarray) -> duplicates.Image.Image:
    return duplicates.Image.fromarray(pixels).resize((64, 64), duplicates.Image.Resampling.BICUBIC)
