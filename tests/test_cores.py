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

    def run(cores: set[int], **environment: str) -> dict[str, bytes]:
        variables = {name: value for name, value in os.environ.items() if not name.endswith("_NUM_THREADS")}
        done = subprocess.run(
            [sys.executable, "-c", f"import os\nos.sched_setaffinity(0, {cores})\n{STAGES}"],
            cwd=tmp_path,
            env=variables | {"PYTHONPATH": str(ROOT)} | environment,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        return outputs(tmp_path)

    return run


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="the system cannot keep a process on one core")
def test_one_core_and_many_give_the_same_bytes(trained) -> None:
    every = os.sched_getaffinity(0)
    on_one = trained({min(every)})
    limits = {"OMP_NUM_THREADS": "3", "OMP_DYNAMIC": "true", "OMP_THREAD_LIMIT": "1", "OPENBLAS_NUM_THREADS": "2"}
    on_all = trained(every, **limits)
    assert on_one.keys() == on_all.keys()
    assert [name for name, content in on_one.items() if on_all[name] != content] == []
