"""A stage as its own process, start to end, with its time and memory."""

import csv
import os
import subprocess
import sys
from pathlib import Path
from time import perf_counter

from pipeline.stage import LOG

ROOT = Path(__file__).parents[1]


def timed(stage: str, folder: Path) -> tuple[float, float, float]:
    """Seconds, those of them that a core was busy, and peak memory in MB, as the stage logs it.

    Args:
        stage: with its options, such as ``read_source --set phantom``.
        folder: of the project.
    """
    start = perf_counter()
    paths = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
    command = [sys.executable, "-m", *f"pipeline.{stage}".split()]
    process = subprocess.Popen(command, cwd=folder, env={**os.environ, "PYTHONPATH": paths}, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    seconds = perf_counter() - start
    if status:
        sys.exit(f"{stage} failed; see above")
    with (folder / LOG).open(newline="") as log:
        *_, last = csv.DictReader(log)
    return seconds, usage.ru_utime + usage.ru_stime, float(last["peak_mb"])
