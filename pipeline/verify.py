"""Whether a folder of images is the one of a manifest: the same files, byte for byte.

python -m pipeline.verify --manifest data/manifest.csv --images data/raw/isic/images
"""

import argparse
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from pipeline.errors import InputError
from pipeline.isic.names import is_inside
from pipeline.progress import progress_bar
from pipeline.store import read_csv, sha256_of_file

SHOWN = 5  # files of a kind in the message
THREADS = 8  # reading and hashing give up the interpreter


class Found(NamedTuple):
    """Names of files."""

    same: list[str]
    missing: list[str]
    different: list[str]
    unknown: list[str]  # of which the manifest has no hash


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--manifest", type=Path, required=True, metavar="CSV")
    parser.add_argument("--images", type=Path, required=True, metavar="DIR")
    parser.add_argument("--source", metavar="NAME", help="the one of the manifest's sources whose images these are")
    given = parser.parse_args()
    try:
        found = verify(given.manifest, given.images, given.source)
    except (InputError, OSError) as error:
        sys.exit(f"verify: {error}")
    unknown = f"; of {len(found.unknown):,} the manifest has no hash" if found.unknown else ""
    print(f"{len(found.same):,} files are the ones of the manifest{unknown}")
    wrong = {"missing": found.missing, "different": found.different}
    listed = [f"{len(names):,} {kind} ({', '.join(names[:SHOWN])})" for kind, names in wrong.items() if names]
    if listed:
        sys.exit(f"verify: {'; '.join(listed)}; download those again, or run the pipeline on what is there")


def verify(manifest: Path, images: Path, source: str | None = None) -> Found:
    """Compares every file of the manifest, or of one of its sources.

    Raises:
        InputError: if the manifest is none, has several sources and not this one, or names a file outside the folder,
            or if the folder is not there.
    """
    table = read_csv(manifest, dtype=str, keep_default_na=False)
    lacking = sorted({"file", "sha256"} - set(table.columns))
    if lacking:
        raise InputError(f"{manifest} has no column {' or '.join(lacking)}; give the data/manifest.csv of a run")
    if not images.is_dir():
        raise InputError(f"--images is {images}, which is no folder; give the one that the source named as images")
    table = of_source(table, source)
    outside = next((file for file in table["file"] if not is_inside(file)), None)
    if outside is not None:
        raise InputError(f"{manifest} names the file {outside!r:.200}, which may lie outside {images}")
    found = Found([], [], [], [])
    with ThreadPoolExecutor(THREADS) as pool, progress_bar("verifying", len(table), "files") as bar:
        hashes = pool.map(lambda file: _hash(images / file), table["file"])
        for file, expected, actual in zip(table["file"], table["sha256"], hashes, strict=True):
            if actual is None:
                found.missing.append(file)
            elif not expected:
                found.unknown.append(file)
            else:
                (found.same if actual == expected else found.different).append(file)
            bar.update()
    return found


def of_source(table: pd.DataFrame, source: str | None) -> pd.DataFrame:
    """The rows of one source. Raises InputError if it must be named, or is not there."""
    names = sorted(set(table.get("dataset", "")))
    if source is None and len(names) < 2:
        return table
    if source not in names:
        raise InputError(
            f"--source is {source or 'not given'}; the manifest's sources are {', '.join(names)}: name one"
        )
    return table[table["dataset"] == source]


def _hash(path: Path) -> str | None:
    """None if there is no such file."""
    return sha256_of_file(path) if path.is_file() else None


if __name__ == "__main__":
    main()
