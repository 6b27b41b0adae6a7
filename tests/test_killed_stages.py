"""Every data stage, killed at twenty moments of its run and run again, ends in the bytes of an uninterrupted run."""

import os
import random
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from time import perf_counter

import pytest
import yaml

ROOT = Path(__file__).parent.parent
KILLS = 20
OUTPUTS = {
    "phantom": ["data/raw/phantom"],
    "read_source --set phantom": ["data/sources/phantom.csv", "reports/sources/phantom.json"],
    "ingest": ["data/metadata.csv", "reports/ingest.json"],
    "reduce": ["data/reduced.csv", "data/conditions.csv", "reports/reduce.json"],
    "prepare": ["data/images", "reports/prepare.json"],
    "split": ["data/splits.csv", "data/duplicates.csv", "data/moved.csv", "reports/split.json"],
}
pytestmark = pytest.mark.proof


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A working directory with more images than one process would draw, and room for the worker processes' own."""
    folder = tmp_path_factory.mktemp("killed")
    params = yaml.safe_load((ROOT / "recipes/smoke.yaml").read_text())
    params["phantom"] |= {"images": 400, "shorter_side": 64}
    (folder / "params.yaml").write_text(yaml.safe_dump(params))
    return folder


def start(stage: str, folder: Path) -> subprocess.Popen[bytes]:
    """In a session of its own; its output goes to a file, as a pipe would be waited for until the last worker ends."""
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", *f"pipeline.{stage}".split()]
    with (folder / "log").open("wb") as log:
        return subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=log, start_new_session=True)


def complete(stage: str, folder: Path) -> None:
    assert start(stage, folder).wait() == 0, (folder / "log").read_text()


def contents(stage: str, folder: Path) -> dict[str, bytes]:
    """Every file of the stage's outputs, and whatever else lies beside them under a temporary name."""
    found = {}
    for output in OUTPUTS[stage]:
        path = folder / output
        files = [file for file in path.rglob("*") if file.is_file()] if path.is_dir() else [path]
        files += [left for left in path.parent.glob(".*partial*") if not path.name.startswith(".")]
        found |= {str(file.relative_to(folder)): file.read_bytes() if file.is_file() else b"" for file in files}
    return found


@pytest.mark.parametrize("stage", OUTPUTS)
@pytest.mark.parametrize("workers_too", [True, False], ids=["all killed", "workers outlive it"])
def test_a_killed_stage_run_again_gives_the_same_bytes(stage: str, workers_too: bool, folder: Path) -> None:
    complete(stage, folder)
    whole = contents(stage, folder)
    assert len(whole) >= len(OUTPUTS[stage])
    began = perf_counter()
    complete(stage, folder)
    duration = perf_counter() - began
    moments = random.Random(stage)
    killed = 0
    for number in range(4 * KILLS):
        if number % 2:  # as DVC does before it runs a stage
            for output in OUTPUTS[stage]:
                path = folder / output
                shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
        run = start(stage, folder)
        try:
            run.wait(timeout=moments.uniform(0, duration))
            continue  # it was done before the moment came
        except subprocess.TimeoutExpired:
            killed += 1
        if workers_too:
            os.killpg(run.pid, signal.SIGKILL)
        else:
            run.kill()
        run.wait()
        complete(stage, folder)
        assert contents(stage, folder) == whole, f"kill {killed}"
        if killed == KILLS:
            return
    pytest.fail(f"only {killed} of {KILLS} kills came before the end")
