"""How fast `read_source`, `ingest` and `reduce` take made-up records of the archive's second API, and how much memory.

python -m benchmarks.ingest [--records 500000] [--layouts csv files lines pages parquet] [--folder DIR]: each stage
once, as its own process, in a temporary folder under DIR. A folder of 500,000 files takes 2 GB of disk.
"""

import argparse
import os
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import yaml

from benchmarks.archive import LAYOUTS
from benchmarks.stages import ROOT, timed
from pipeline.params.reader import read_tree

DEFAULT = ("csv", "files", "lines", "pages")
BALANCES = ("keep_ratio", "balanced")
SIZE = 5000  # images that reduce keeps


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--records", type=int, default=500_000)
    parser.add_argument("--layouts", nargs="+", choices=sorted(LAYOUTS), default=DEFAULT)
    parser.add_argument("--folder", type=Path)
    given = parser.parse_args()
    print(f"{given.records:,} records, {os.cpu_count()} cores")
    for layout in given.layouts:
        with TemporaryDirectory(dir=given.folder) as name:
            measure(layout, Path(name), given.records)


def measure(layout: str, folder: Path, count: int) -> None:
    """Prints seconds, rate and peak memory of each stage, of reduce with each balance."""
    (folder / "raw").mkdir()
    source = {"metadata": str(LAYOUTS[layout](folder / "raw", count))}
    stages = (("read_source --set made_up", ""), ("ingest", ""), *(("reduce", balance) for balance in BALANCES))
    for stage, balance in stages:
        write_params(folder, source, {"size": SIZE, "balance": balance or BALANCES[0]})
        seconds, busy, peak = timed(stage, folder)
        title = f"{layout:8s}{stage.split()[0] + ' ' + balance:18s}"
        rate = count / seconds
        print(f"{title} {seconds:6.1f} s ({busy:.1f} s of a core) {rate:9,.0f} records/s {peak:6,.0f} MB", flush=True)


def write_params(folder: Path, source: dict[str, Any], reduce: dict[str, Any]) -> None:
    """The demo's params with some values of two sections changed."""
    tree = read_tree(ROOT / "params.yaml")
    tree["source"] = {"made_up": tree["source"]["phantom"] | source}
    tree["reduce"] |= reduce
    (folder / "params.yaml").write_text(yaml.safe_dump(tree))


if __name__ == "__main__":
    main()
