"""Saved experiments in one table: read from Git, none checked out."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml

from pipeline import compare


def git(*arguments: str) -> str:
    identity = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
    return subprocess.run(["git", *identity, *arguments], capture_output=True, text=True, check=True).stdout.strip()


def scheme(auc: float, synthetic: int, gain: float | None) -> dict[str, Any]:
    report = {"auc": auc, "auc_ci_low": auc - 0.02, "auc_ci_high": auc + 0.02, "synthetic_images": synthetic}
    for key in compare.RIVALS:
        report |= {key: gain, f"{key}_ci_low": None, f"{key}_ci_high": None}
        if gain is not None:
            report |= {f"{key}_ci_low": gain - 0.01, f"{key}_ci_high": gain + 0.01}
    return report | {"verdict": "no detectable effect" if synthetic else "reference", "seeds": [0, 1]}


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, smoke_params: dict[str, Any]) -> Path:
    """A commit with a dcgan, an experiment upon it with a wgan, and one with another split besides."""
    monkeypatch.chdir(tmp_path)
    git("init", "-q")

    def commit(variant: str, auc: float, train: float = 0.5) -> str:
        smoke_params["gan"]["variant"], smoke_params["split"]["train"] = variant, train
        Path("params.yaml").write_text(yaml.safe_dump(smoke_params, sort_keys=False))
        folder = Path("reports/classifier")
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "baseline.json").write_text(json.dumps(scheme(0.8 if train == 0.5 else 0.7, 0, 0.0)))
        (folder / "gan_balanced.json").write_text(json.dumps(scheme(auc, 30, auc - 0.8)))
        git("add", "-A")
        git("commit", "-qm", variant)
        return git("rev-parse", "HEAD")

    head = commit("dcgan", 0.81)
    for name, made in {"fair-wgan": ("wgan", 0.83), "other-split": ("sngan", 0.84, 0.6)}.items():
        experiment = commit(*made)
        git("update-ref", f"refs/exps/{head[:2]}/{head[2:]}/{name}", experiment)
        git("update-ref", "refs/exps/exec/EXEC_BRANCH", experiment)  # dvc's own, no experiment
        git("reset", "-q", "--hard", head)
    return tmp_path


def table(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *arguments: str) -> list[list[str]]:
    monkeypatch.setattr(sys, "argv", ["compare", *arguments])
    compare.main()
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in capsys.readouterr().out.splitlines()[2:]]


def test_head_and_its_experiments_are_rows_and_what_is_the_same_is_said_once(repository, capsys, monkeypatch) -> None:
    rows = table(capsys, monkeypatch)
    assert [row[:3] for row in rows] == [
        ["HEAD", "", "baseline"],
        ["HEAD", "dcgan", "gan_balanced"],
        ["fair-wgan", "wgan", "gan_balanced"],
        ["other-split", "", "baseline"],
        ["other-split", "sngan", "gan_balanced"],
    ]
    assert rows[1][3:5] == ["0.810 (0.790 to 0.830)", "+0.010 (0.000 to +0.020)"]
    assert [row[-1] for row in rows] == ["", "", "", "split.train", "split.train"]


def test_revisions_can_be_named_and_every_number_be_had(repository, capsys, monkeypatch) -> None:
    rows = table(capsys, monkeypatch, "HEAD", "fair-wgan", "--csv", "all.csv")
    assert [row[0] for row in rows] == ["HEAD", "HEAD", "fair-wgan"]
    numbers = pd.read_csv("all.csv")
    assert list(numbers["auc"]) == [0.8, 0.81, 0.83]
    assert list(numbers["variant"]) == ["dcgan", "dcgan", "wgan"]


@pytest.mark.parametrize(
    ("arguments", "message"), [(("nothing",), "ambiguous argument 'nothing"), (("empty",), "empty has no reports/")]
)
def test_a_revision_that_cannot_be_read_is_one_line(repository, capsys, monkeypatch, arguments, message) -> None:
    git("checkout", "-q", "--orphan", "empty")
    git("rm", "-rqf", ".")
    git("commit", "-qm", "nothing", "--allow-empty")
    with pytest.raises(SystemExit, match=message) as stopped:
        table(capsys, monkeypatch, *arguments)
    assert "\n" not in str(stopped.value)
