"""A training by two processes, beside the same batches shown by one; run as a module, it is one of them."""

import os
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from time import perf_counter

import torch
import yaml

from benchmarks.hot_paths import HotPath, gan_step
from benchmarks.stages import ROOT
from pipeline.launch import end_others, start_ranks

VARIANT, SIZE, BATCH = "r3", 64, 32  # without norm layers: the result is that of one process
STEPS = 5


def paths(device: torch.device, folder: Path) -> Iterator[HotPath]:
    """On CPU cores, whatever the device: each process has one."""
    ours, plain = (partial(seconds_by, processes, folder) for processes in (2, 1))
    yield HotPath(
        f"two processes, gloo: {VARIANT}, {SIZE} px, batch {BATCH}",
        *("images of a core", STEPS * BATCH // 2, ours, plain, STEPS * BATCH),
        floor=0.9,
        note="against one process of one core, the same batches",
        timed=True,
    )


def seconds_by(processes: int, folder: Path) -> float:
    (folder / "params.yaml").write_text(yaml.safe_dump({"compute": {"device": "cpu", "devices": processes}}))
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.hot_paths.processes"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
        check=True,
        capture_output=True,
        text=True,
    )
    return float(done.stdout.splitlines()[-1])


def main() -> None:
    ranks = start_ranks(threads=1)
    run = gan_step.start(VARIANT, SIZE, BATCH, torch.device("cpu"), ranks)
    run.step()
    start = perf_counter()
    for _ in range(STEPS):
        run.step()
    seconds = perf_counter() - start
    end_others(ranks)
    print(seconds)


if __name__ == "__main__":
    main()
