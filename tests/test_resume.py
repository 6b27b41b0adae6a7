"""An interrupted training is taken up only by what would have ended it in the same bytes."""

from collections.abc import Iterable
from pathlib import Path

import pytest
import torch
from pydantic import Field
from torch import Tensor

from pipeline import resume
from pipeline.params.reader import StageParams
from pipeline.resume import ResumePoint
from pipeline.training.ranks import Ranks

DATA = [torch.arange(6)]


class Params(StageParams):
    seed: int = Field(alias="seed")
    threads: int = Field(alias="compute.threads")


def point(seed: int = 0, threads: int = 1, data: Iterable[Tensor] = DATA, ranks: Ranks | None = None) -> ResumePoint:
    params = Params.model_validate({"seed": seed, "compute.threads": threads})
    return ResumePoint("train", params, data, ranks or Ranks())


@pytest.fixture(autouse=True)
def interrupted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whose state is at the point of one thread and seed 0."""
    monkeypatch.setenv("CHECKPOINT_DIR", str(tmp_path))
    point().save({"step": 7})


def test_the_same_run_goes_on() -> None:
    assert point().load() == {"step": 7}


@pytest.mark.parametrize(
    "other",
    [
        {"seed": 1},
        {"threads": 2},
        {"data": [torch.arange(6).flip(0)]},
        {"ranks": Ranks(count=2)},
        {"ranks": Ranks(device=torch.device("meta"))},
    ],
    ids=lambda other: next(iter(other)),
)
def test_another_run_begins_anew(other: dict) -> None:
    assert point(**other).load() is None


def test_another_kind_of_machine_begins_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: "otherwise")
    assert point().load() is None


def test_other_code_or_libraries_begin_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    versions = tmp_path / "versions.txt"
    versions.write_text("torch==0.1\n")
    files = resume.code_files()
    monkeypatch.setattr(
        resume, "code_files", lambda: [versions if file.name == versions.name else file for file in files]
    )
    assert point().load() is None
