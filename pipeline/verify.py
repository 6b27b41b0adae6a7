"""Whether a folder of images is the one of a manifest: the same files, byte for byte.

python -m pipeline.verify --manifest data/manifest.csv --images data/raw/isic/images
"""

import argparse
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

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
    given = parser.parse_args()
    try:
        found = verify(given.manifest, given.images)
    except (InputError, OSError) as error:
        sys.exit(f"verify: {error}")
    unknown = f"; of {len(found.unknown):,} the manifest has no hash" if found.unknown else ""
    print(f"{len(found.same):,} files are the ones of the manifest{unknown}")
    wrong = {"missing": found.missing, "different": found.different}
    listed = [f"{len(names):,} {kind} ({', '.join(names[:SHOWN])})" for kind, names in wrong.items() if names]
    if listed:
        sys.exit(f"verify: {'; '.join(listed)}; download those again, or run the pipeline on what is there")


def verify(manifest: Path, images: Path) -> Found:
    """Compares every file of the manifest.

    Raises:
        InputError: if the manifest is none, names a file outside the folder, or the folder is not there.
    """
    table = read_csv(manifest, dtype=str, keep_default_na=False)
    lacking = sorted({"file", "sha256"} - set(table.columns))
    if lacking:
        raise InputError(f"{manifest} has no column {' or '.join(lacking)}; give the data/manifest.csv of a run")
    if not images.is_dir():
        raise InputError(f"--images is {images}, which is no folder; give the one that source.images named")
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


def _hash(path: Path) -> str | None:
    """None if there is no such file."""
    return sha256_of_file(path) if path.is_file() else None


if __name__ == "__main__":
    main()
