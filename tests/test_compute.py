"""Device and precision."""

from pathlib import Path

import pytest
import torch
import yaml

from pipeline.compute import autocast, take_device
from pipeline.errors import InputError

CPU = torch.device("cpu")


@pytest.mark.parametrize("wanted", ["auto", "cpu"])
def test_the_device_of_the_params_is_taken(wanted: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    Path("params.yaml").write_text(yaml.safe_dump({"compute": {"device": wanted}}))
    assert take_device(1) == CPU


def test_a_device_that_is_not_there_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    Path("params.yaml").write_text(yaml.safe_dump({"compute": {"device": "cuda"}}))
    with pytest.raises(
        InputError, match=r"compute\.device is cuda, which this machine does not offer; use auto or cpu"
    ):
        take_device(1)


def test_threads_are_those_asked_for_and_too_many_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("params.yaml").write_text(yaml.safe_dump({"compute": {"device": "cpu"}}))
    monkeypatch.setattr("pipeline.compute.available_cores", lambda: 2)
    before = torch.get_num_threads()
    try:
        take_device(2)
        assert torch.get_num_threads() == 2
        assert capsys.readouterr().err == ""
        take_device(3)
        assert torch.get_num_threads() == 3
        assert capsys.readouterr().err.startswith("compute.threads is 3 and this process may run on 2 of")
    finally:
        torch.set_num_threads(before)


@pytest.mark.parametrize(
    ("precision", "cpu_gains", "hardware", "expected"),
    [
        ("fp32", True, True, torch.float32),
        ("bf16", False, False, torch.bfloat16),
        ("auto", True, True, torch.bfloat16),
        ("auto", True, False, torch.float32),
        ("auto", False, True, torch.float32),
    ],
)
def test_precision(
    precision: str, cpu_gains: bool, hardware: bool, expected: torch.dtype, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: hardware)
    with autocast(CPU, precision, cpu_gains=cpu_gains):
        assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype == expected
