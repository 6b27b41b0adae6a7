"""Fresh copies of the project in which `dvc repro` runs as a user's would."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml

ROOT = Path(__file__).parent.parent


def run(*command: str, cwd: Path, check: bool = True) -> str:
    """Runs a command with this interpreter's environment first on PATH, as activation puts it; what it said.

    It speaks to files, not to pipes: workers that `dvc queue start` leaves behind would hold these open to their end.
    """
    environment = os.environ | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    identity = {
        f"GIT_{who}_{what}": "test@example.org" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")
    }
    with TemporaryFile("w+") as out, TemporaryFile("w+") as err:
        status = subprocess.run(command, cwd=cwd, env=environment | identity, stdout=out, stderr=err).returncode
        said = ""
        for file in (out, err):
            file.seek(0)
            said += file.read()
    if check and status:
        pytest.fail(f"{' '.join(command)} exited with {status}:\n{said}")
    return said


def clone_project(folder: Path) -> None:
    """The files that Git has or would add, in a repository of their own."""
    for file in run("git", "ls-files", "--cached", "--others", "--exclude-standard", cwd=ROOT).splitlines():
        if (ROOT / file).is_file():
            (folder / file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / file, folder / file)
    run("git", "init", "--quiet", cwd=folder)


def lock_of_one_core(clone: Path, graph: str) -> str:
    """The dvc.lock that a clone's graph ends in where one core alone may work on it, in a fresh clone of HEAD."""
    folder = clone.with_name(f"{clone.name}_on_one_core")
    run("git", "clone", "--quiet", str(clone), str(folder), cwd=clone)
    core = str(min(os.sched_getaffinity(0)))
    run("taskset", "--cpu-list", core, "dvc", "repro", "--force", graph, cwd=folder)
    return (folder / graph).with_suffix(".lock").read_text()


def draw_renders(folder: Path, params: dict[str, Any], seed: int, **phantom: float) -> dict[str, np.ndarray]:
    """Images of the phantom that no training has seen, by class: rendered with another seed, (N, H, W, 3) each."""
    folder.mkdir()
    params = params | {"seed": seed, "phantom": params["phantom"] | phantom}
    (folder / "params.yaml").write_text(yaml.safe_dump(params))
    for stage in ("phantom", "read_source --set phantom", "ingest", "reduce", "prepare"):
        run("bash", "-c", f"PYTHONPATH={ROOT} {sys.executable} -m pipeline.{stage}", cwd=folder)
    manifest = pd.read_csv(folder / "data/images/manifest.csv")
    target = manifest["image_id"].map(pd.read_csv(folder / "data/reduced.csv").set_index("image_id")["target"])
    packed = np.load(folder / "data/images/images.npy")
    return {"benign": packed[target == 0], "malignant": packed[target == 1]}
