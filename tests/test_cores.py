"""A training's bytes depend on compute.threads, and neither on the machine's cores nor on what its shell has set."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parent.parent
STAGES = """
import os
if hasattr(os, "sched_setaffinity"):  # elsewhere OMP_NUM_THREADS alone says how many threads torch would take
    os.sched_setaffinity(0, CORES)
import pipeline  # as python -m pipeline.<stage> does, before numpy and torch
from pipeline import score_synthetic, synthesize, train_artefacts, train_classifier, train_features, train_gan

train_features.main()
train_gan.main("malignant", "0")
synthesize.main("malignant", "0")
score_synthetic.main("malignant", "0")
train_classifier.main("classic", "0")
train_artefacts.main()
"""


def outputs(folder: Path) -> dict[str, bytes]:
    files = [path for name in ("data", "reports") for path in (folder / name).rglob("*") if path.is_file()]
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


@pytest.fixture
def trained(experiment, tmp_path: Path) -> Any:
    """Runs the stages that compute with torch on some of the cores, with some variables; the bytes of all outputs."""
    params = experiment()
    params["artefacts"] |= {"photographs": 100, "kinds": ["hair", "frame"]}
    # fp32, as bf16 on fewer cores than threads takes ten times as long
    params["compute"] |= {"threads": 2, "precision": "fp32"}
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(params))

    def run(cores: list[int], **environment: str) -> dict[str, bytes]:
        variables = {name: value for name, value in os.environ.items() if not name.endswith("_NUM_THREADS")}
        done = subprocess.run(
            [sys.executable, "-c", f"CORES = {cores}\n{STAGES}"],
            cwd=tmp_path,
            env=variables | {"PYTHONPATH": str(ROOT)} | environment,
            capture_output=True,
            text=True,
            timeout=300,  # threads that never come are waited for for ever
        )
        assert done.returncode == 0, done.stderr
        return outputs(tmp_path)

    return run


def test_one_core_and_many_give_the_same_bytes(trained) -> None:
    every = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
    on_one = trained(every[:1], OMP_NUM_THREADS="1")
    limits = {"OMP_NUM_THREADS": "3", "OMP_DYNAMIC": "true", "OMP_THREAD_LIMIT": "1", "OPENBLAS_NUM_THREADS": "2"}
    on_all = trained(every, **limits)
    assert on_one.keys() == on_all.keys()
    assert [name for name, content in on_one.items() if on_all[name] != content] == []


@pytest.mark.parametrize("stage", ["pipeline.split", "segmentation.split"])
def test_what_the_shell_has_set_is_overruled_before_numpy_loads(stage: str) -> None:
    code = f"""
import os
import {stage}
from threadpoolctl import threadpool_info
print(*(blas["num_threads"] for blas in threadpool_info()), os.environ["OMP_DYNAMIC"], "OMP_THREAD_LIMIT" in os.environ)
"""
    wrong = {"OPENBLAS_NUM_THREADS": "2", "OMP_NUM_THREADS": "1", "OMP_DYNAMIC": "true", "OMP_THREAD_LIMIT": "1"}
    environment = os.environ | {"PYTHONPATH": str(ROOT)} | wrong
    said = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    ).stdout
    *threads, dynamic, limited = said.split()
    assert set(threads) == {"1"}
    assert (dynamic, limited) == ("false", "False")
