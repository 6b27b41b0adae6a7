"""Several processes that train one network: what they learn, what they write, and what they refuse."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import torch
import yaml

from pipeline.errors import InputError
from pipeline.launch import start_ranks
from pipeline.store import read_json
from pipeline.training.ranks import Ranks
from tests.together import TRAININGS, classifier, segmenter

ROOT = Path(__file__).parents[1]
TORCHRUN = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]


def wanted(folder: Path, **compute: object) -> None:
    values = {"device": "cpu", "precision": "fp32", "devices": 1, **compute}
    (folder / "params.yaml").write_text(yaml.safe_dump({"compute": values}))


ENVIRONMENT = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
ALONE_IN_A_JOB = {"SLURM_JOB_NAME": "repro", "SLURM_NTASKS": "2", "SLURM_NTASKS_PER_NODE": "2", "SLURM_PROCID": "0"}


def run(folder: Path, *command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    environment = ENVIRONMENT | environment
    return subprocess.run([sys.executable, *command], cwd=folder, env=environment, capture_output=True, text=True)


@pytest.fixture(scope="module")
def alone() -> dict[str, list[dict[str, float]]]:
    return {name: train(Ranks()) for name, train in TRAININGS.items()}


def by_params(folder: Path) -> None:
    """In a job of two tasks, whose script runs one."""
    wanted(folder, devices=2)
    done = run(folder, "-m", "tests.together", "curves.json", **ALONE_IN_A_JOB)
    assert done.returncode == 0, done.stderr


def by_torchrun(folder: Path) -> None:
    wanted(folder)
    done = run(folder, *TORCHRUN, "-m", "tests.together", "curves.json")
    assert done.returncode == 0, done.stderr


def by_srun(folder: Path) -> None:
    """As srun starts every task."""
    wanted(folder)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    step = {
        "SLURM_STEP_NUM_TASKS": "2",
        "SLURM_STEP_NUM_NODES": "1",
        "SLURM_NODELIST": "127.0.0.1",
        "SLURM_NODEID": "0",
    }
    tasks = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.together", "curves.json"],
            cwd=folder,
            env=ENVIRONMENT
            | ALONE_IN_A_JOB
            | step
            | {"MASTER_PORT": port, "SLURM_PROCID": str(task), "SLURM_LOCALID": str(task)},
        )
        for task in range(2)
    ]
    assert [task.wait(timeout=120) for task in tasks] == [0, 0]


@pytest.mark.parametrize("start", [by_params, by_torchrun, by_srun])
def test_two_processes_learn_what_one_learns(start, tmp_path, alone) -> None:
    start(tmp_path)
    together = read_json(tmp_path / "curves.json")
    for name, curve in alone.items():
        assert len(together[name]) == len(curve) == 12
        for ours, theirs in zip(together[name], curve, strict=True):
            assert ours == pytest.approx(theirs, rel=1e-4, abs=1e-4)


@pytest.mark.parametrize("train", [classifier, segmenter])
def test_a_batch_in_parts_teaches_what_the_whole_one_does(train, alone) -> None:
    in_parts = train(Ranks(), accumulate=4)
    for ours, whole in zip(in_parts, alone[train.__name__], strict=True):
        assert ours == pytest.approx(whole, rel=1e-4, abs=1e-4)


def test_a_batch_in_parts_takes_each_part_alone(monkeypatch) -> None:
    seen: list[int] = []
    monkeypatch.setattr(torch.nn.SiLU, "forward", lambda self, each: seen.append(len(each)) or each.sigmoid() * each)
    classifier(Ranks(), accumulate=4)
    assert set(seen[:4]) == {2}


def test_a_batch_that_cannot_be_shared_is_refused() -> None:
    three = Ranks(count=3)
    with pytest.raises(InputError, match=r"gan\.train\.batch_size is 32, which 3 processes cannot share evenly"):
        three.check_batch(32, "gan.train.batch_size")
    three.check_batch(33, "gan.train.batch_size")
    with pytest.raises(InputError, match="is 33, which 3 processes of 2 parts cannot share evenly"):
        three.check_batch(33, "gan.train.batch_size", 2)
    with pytest.raises(InputError, match="is 33, which 2 parts cannot share evenly"):
        Ranks().check_batch(33, "gan.train.batch_size", 2)


def test_shares_are_the_whole_batch_once() -> None:
    batch = torch.arange(12)
    shares = [Ranks(rank, 3).share(batch) for rank in range(3)]
    assert [len(share) for share in shares] == [4, 4, 4]
    assert torch.cat(shares).sort().values.tolist() == batch.tolist()


def test_more_devices_than_there_are_is_one_sentence(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    wanted(tmp_path, device="cuda", devices=8)
    with pytest.raises(InputError, match=r"compute\.devices is 8, and this machine has 2 of cuda; use auto"):
        start_ranks(1)


def test_auto_is_one_process_on_a_cpu(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    wanted(tmp_path, devices="auto")
    assert start_ranks(1).count == 1


def test_a_stage_of_two_processes_writes_and_speaks_once(experiment, tmp_path) -> None:
    params = experiment()
    params["compute"] |= {"device": "cpu", "devices": 2}
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(params))
    done = run(tmp_path, "-m", "pipeline.train_gan", "--class", "malignant", "--seed", "0")
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("done in") == 1
    assert done.stderr.count("malignant:   0%|") == 1  # a bar begins once; its end may be drawn twice
    checkpoint = tmp_path / "data/checkpoints/gan/malignant/0"
    assert read_json(checkpoint / "model.json")["images_seen"] == 80
    assert sorted(path.name for path in checkpoint.parent.iterdir()) == ["0"]
    assert not list((tmp_path / ".checkpoints").iterdir())


def test_a_stages_mistake_ends_every_process(experiment, tmp_path) -> None:
    params = experiment()
    params["compute"] |= {"device": "cpu", "devices": 3}
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(params))
    done = run(tmp_path, "-m", "pipeline.train_gan", "--class", "malignant", "--seed", "0")
    assert done.returncode == 1
    assert "gan.train.batch_size is 8, which 3 processes cannot share evenly" in done.stderr
