"""Every hot path beside the plain loop that a first project would write for it, in one table.

python -m benchmarks.speed [--only NAME ...] [--rounds 5] [--device cpu] [--project DIR]

Both ways alternate in one process; the ratio is the median of the rounds, with the lowest and the highest. The share is
that of the machine's own measured rate of multiplying matrices in which ours does its multiplications, over all the
time that ours takes. --project names a project that was reproduced; the seconds of `dvc repro` with nothing to do there
are measured too. Wants a machine that does nothing else; OMP_NUM_THREADS sets the threads.
"""

import argparse
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import cast

import torch

from benchmarks.hot_paths import HotPath, classifier, duplicates, gan_step, measures, processes, sampling

MATRIX = 2048  # side, of those that are multiplied for the machine's rate
COPIED = 2**28  # bytes
IDLE_FLOOR = 3.0  # seconds of `dvc repro` with nothing to do, at the most
PATHS: dict[str, Callable[[torch.device, Path], Iterator[HotPath]]] = {
    "gan_step": gan_step.paths,
    "classifier_step": classifier.steps,
    "classifier_epoch": classifier.epochs,
    "measures": measures.paths,
    "duplicates": duplicates.paths,
    "sampling": sampling.paths,
    "processes": processes.paths,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=PATHS, default=list(PATHS))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--device", type=torch.device, default=torch.device("cpu"))
    parser.add_argument("--project", type=Path)
    given = parser.parse_args()
    limit = machine(given.device)
    print("| path | plain | ours | ratio (range) | wanted | share | |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    with TemporaryDirectory() as folder:
        for name in given.only:
            for path in PATHS[name](given.device, Path(folder)):
                print(row(path, given.rounds, given.device, limit[path.dtype]), flush=True)
    if given.project:
        print(f"dvc repro with nothing to do: {idle_repro(given.project):.1f} s, wanted {IDLE_FLOOR:.0f} at the most")


def machine(device: torch.device) -> dict[torch.dtype, float]:
    """Prints what the machine can do; returns its multiply-adds a second by precision, each counted as two."""
    rates = {}
    for dtype in (torch.float32, torch.bfloat16):
        one, two = (torch.randn(MATRIX, MATRIX, device=device, dtype=dtype) for _ in range(2))
        rates[dtype] = 2 * MATRIX**3 / median(seconds(lambda: one @ two, device) for _ in range(9))  # noqa: B023
    source = torch.zeros(COPIED, dtype=torch.uint8, device=device)
    target = torch.zeros_like(source)
    copied = COPIED / median(seconds(lambda: target.copy_(source), device) for _ in range(9))
    fp32, bf16 = rates.values()
    print(
        f"{device}, {torch.get_num_threads()} threads, torch {torch.__version__}: matrices of {MATRIX} px "
        f"{fp32 / 1e9:,.0f} GFLOP/s in fp32 and {bf16 / 1e9:,.0f} in bf16; copies {copied / 1e9:.1f} GB/s\n"
    )
    return rates


def row(path: HotPath, rounds: int, device: torch.device, limit: float) -> str:
    """A line of the table."""
    path.ours()  # the first call of each is not timed
    path.plain()
    clock = _own_seconds if path.timed else seconds
    times = [(clock(path.plain, device), clock(path.ours, device)) for _ in range(rounds)]
    ratios = sorted((plain / path.plain_units) / (ours / path.units) for plain, ours in times)
    plain_rate, rate = (
        median(units / taken for taken in way)
        for way, units in zip(zip(*times, strict=True), (path.plain_units, path.units), strict=True)
    )
    share = f"{path.flops / path.units * rate / limit:.0%}" if path.flops else ""
    return (
        f"| {path.name} | {plain_rate:,.1f} {path.unit}/s | {rate:,.1f} {path.unit}/s "
        f"| {median(ratios):.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f}) | {path.floor:g} | {share} | {path.note} |"
    )


def seconds(call: Callable[[], object], device: torch.device) -> float:
    start = perf_counter()
    call()
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return perf_counter() - start


def _own_seconds(call: Callable[[], object], device: torch.device) -> float:
    return cast(float, call())


def idle_repro(project: Path) -> float:
    """Seconds of the second of two runs, start to end."""
    command = [sys.executable, "-m", "dvc", "repro"]
    for _ in range(2):
        start = perf_counter()
        subprocess.run(command, cwd=project, check=True, stdout=subprocess.DEVNULL)
        passed = perf_counter() - start
    return passed


if __name__ == "__main__":
    main()
