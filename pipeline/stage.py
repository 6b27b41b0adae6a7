"""How every stage runs: time and memory in the log, one line and exit code 1 for what a user can cause."""

import argparse
import csv
import math
import re
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter

import pipeline
from pipeline.errors import InputError
from pipeline.params.classes import TARGETS
from pipeline.versions import check_versions

LOG = Path("logs/stages.csv")  # ignored by Git and DVC: a time is never a result; another graph has its own


def run_stage(main: Callable[..., None], *items: str) -> None:
    """Runs ``main`` with the values of the command-line options named in ``items``.

    Args:
        items: the matrix items of the stage, such as ``scheme`` and ``seed``; each is a required ``--<item>``.
    """
    parser = argparse.ArgumentParser(description=sys.modules[main.__module__].__doc__)
    for item in items:
        choices = list(TARGETS) if item == "class" else None
        parser.add_argument(f"--{item}", required=True, dest=f"item_{item}", choices=choices)
    given = {name.removeprefix("item_"): value for name, value in vars(parser.parse_args()).items()}
    stage = Path(sys.argv[0]).stem
    title = stage + ("@" + "-".join(given.values()) if given else "")
    try:
        check_versions()
        main(*given.values())
    except (InputError, OSError) as error:
        print(f"{title}: {error}", file=sys.stderr)
        sys.exit(1)
    seconds = perf_counter() - pipeline.STARTED
    print(f"{title}: done in {seconds:.1f} s", flush=True)
    package = Path(sys.argv[0]).resolve().parent.name
    log = LOG if package == "pipeline" else LOG.with_name(f"{package}_stages.csv")
    _append(log, [datetime.now(UTC).isoformat(timespec="seconds"), title, f"{seconds:.1f}", f"{peak_megabytes():.0f}"])


def _append(log: Path, row: list[str]) -> None:
    log.parent.mkdir(exist_ok=True)
    new = not log.exists()
    with log.open("a", newline="") as file:
        writer = csv.writer(file)
        if new:
            writer.writerow(["finished", "stage", "seconds", "peak_mb"])
        writer.writerow(row)


def peak_megabytes() -> float:
    """Of this process, without those that it started; not a number but on Linux.

    Not ``resource``'s: there a process is at least as large as the one that started it.
    """
    status = Path("/proc/self/status")
    found = re.search(r"VmHWM:\s*(\d+) kB", status.read_text()) if status.is_file() else None
    return int(found[1]) * 1024 / 1e6 if found else math.nan
