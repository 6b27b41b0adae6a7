"""Averages of several half-lives, side by side in one training."""

import sys
from pathlib import Path

import pytest
import yaml

from benchmarks import averages
from pipeline.training.ema import update_ema


def test_every_half_life_is_looked_at_and_nothing_written(experiment, monkeypatch, capsys) -> None:
    experiment()
    before = {path: path.stat().st_mtime_ns for path in Path().rglob("*")}
    argv = ["averages", "--half-lives", "0", "0.02", "--every", "0.05"]
    monkeypatch.setattr(averages, "DRAWN", 200)
    moved = []
    monkeypatch.setattr(averages, "update_ema", lambda *given: moved.append(given[2]) or update_ema(*given))
    monkeypatch.setattr(sys, "argv", argv)
    averages.main()
    header, *lines = capsys.readouterr().out.splitlines()
    assert "half-life" in header
    assert [line.split()[1] for line in lines] == ["0", "0.02"] * 2
    assert all(len(line.split()) == 6 and float(line.split()[3]) > 0 for line in lines)  # sliced Wasserstein
    assert lines[0].split()[2:] != lines[1].split()[2:]
    assert set(moved[::2]) == {0.0}
    assert moved[-1] == pytest.approx(0.5 ** (8 / 20))
    assert {path: path.stat().st_mtime_ns for path in Path().rglob("*")} == before


def test_other_families_are_refused(experiment, monkeypatch) -> None:
    params = experiment()
    params["gan"]["variant"] = "vae"
    Path("params.yaml").write_text(yaml.safe_dump(params))
    monkeypatch.setattr(sys, "argv", ["averages"])
    with pytest.raises(SystemExit, match=r"averages: gan\.variant is vae, which is not adversarial"):
        averages.main()
