"""Images and metadata of the ISIC archive into a folder that ``ingest`` reads. Stopped at any point, it goes on there.

  python -m pipeline.download --out data/raw/isic --size thumbnail_256

recipes/isic.yaml reads it there. Elsewhere, its metadata.csv and images are what a source's two keys name.
"""

import argparse
import sys
from pathlib import Path

from pipeline.errors import InputError
from pipeline.isic_archive.listing import ImageFile, Listing, Wanted
from pipeline.isic_archive.papers import write_papers
from pipeline.isic_archive.transfers import Outcome, Transfers
from pipeline.isic_archive.web import PAUSE, Web
from pipeline.progress import progress_bar

API = "https://api.isic-archive.com/api/v2/"
SIZES = ("full", "thumbnail_256")
SHOWN = 5  # images that did not arrive, in the message


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, metavar="DIR")
    parser.add_argument("--query", default="", help="in the archive's language, as its search page writes it")
    parser.add_argument("--collections", default="", metavar="ID,ID")
    parser.add_argument("--size", choices=SIZES, default=SIZES[0], help="thumbnails are enough for 64 to 128 px")
    parser.add_argument("--limit", type=int, help="images, at most")
    parser.add_argument("--jobs", type=int, default=8, help="images at once")
    parser.add_argument("--rate", type=float, default=20.0, help="requests a second, at most")
    parser.add_argument("--api", default=API, help=argparse.SUPPRESS)
    parser.add_argument("--pause", type=float, default=PAUSE, help=argparse.SUPPRESS)
    given = parser.parse_args()
    for name in ("limit", "jobs", "rate"):
        value = getattr(given, name)
        if value is not None and value <= 0:
            sys.exit(f"download: --{name} is {value}; give more than 0")
    wanted = Wanted(given.query, given.collections, given.size, given.limit)
    try:
        download(given.out, given.api, wanted, Web(given.rate, given.jobs, given.pause), given.jobs)
    except (InputError, OSError) as error:
        sys.exit(f"download: {error}")
    except KeyboardInterrupt:
        sys.exit("download: stopped; run the same command again to go on")


def download(folder: Path, api: str, wanted: Wanted, web: Web, jobs: int) -> None:
    """Everything that is wanted and not there yet.

    Raises:
        InputError: if the folder was begun for something else, or something did not arrive.
    """
    listing = Listing(folder, api, wanted)
    listing.check()
    listing.fetch(web)
    transfers = Transfers(folder, listing, web)
    listed = listing.files()
    files = [file for file in listed if file.url]
    present = transfers.present(files)
    failed = fetch(transfers, files, present, jobs)
    write_papers(folder, listing, present)
    size = sum(outcome.size for outcome in present.values())
    unusable = listing.unusable()
    left_out = f", {unusable:,} have an id that can be no file's name" if unusable else ""
    without = f"{len(listed) - len(files):,} records have no image{left_out}"
    print(f"{len(present):,} images, {size:,} bytes, in {folder / 'images'}; {without}")
    if failed:
        first = "; ".join(f"{outcome.isic_id}: {outcome.failure}" for outcome in failed[:SHOWN])
        raise InputError(f"{len(failed):,} images did not arrive ({first}); run the same command again to try those")


def fetch(transfers: Transfers, files: list[ImageFile], present: dict[str, Outcome], jobs: int) -> list[Outcome]:
    """Adds to ``present`` what arrives. Returns: what does not."""
    missing = [file for file in files if file.isic_id not in present]
    total = sum(file.size for file in files)
    there = sum(outcome.size for outcome in present.values())
    failed = []
    with progress_bar("images", total, "B", there) as bar:
        for outcome in transfers.fetch(missing, jobs):
            if outcome.failure:
                failed.append(outcome)
            else:
                present[outcome.isic_id] = outcome
                bar.update(outcome.size)
    return sorted(failed)


if __name__ == "__main__":
    main()
