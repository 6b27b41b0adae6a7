"""Image files from the archive, each complete under its name or absent."""

import csv
import hashlib
from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from pathlib import Path
from typing import NamedTuple

from pipeline.isic_archive.listing import Listing, Record
from pipeline.isic_archive.web import RefusedError, Web
from pipeline.store import replaced_file, sha256_of_file

STARTS = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"II*\x00", b"MM\x00*")  # of JPEG, PNG and TIFF files
EXPIRED = (400, 403)  # how storage answers an address that was signed too long ago
ATTEMPTS = 3  # at bytes that are no image, or not as many as the record says


class Outcome(NamedTuple):
    """What became of one image: its bytes and sha256, or why it is not there."""

    isic_id: str
    size: int = 0
    sha256: str = ""
    failure: str = ""


class Transfers:
    """The images of a folder.

    Args:
        size: full or thumbnail_256.
    """

    def __init__(self, folder: Path, listing: Listing, size: str, web: Web) -> None:
        self._images, self._journal = folder / "images", folder / ".download/sha256.csv"
        self._listing, self._size, self._web = listing, size, web

    def present(self, records: Iterable[Record]) -> dict[str, Outcome]:
        """The images that are there. A file that was not noted, as the run was killed just then, is noted now."""
        noted = self._noted()
        found = {}
        for record in records:
            path = self.path(record["isic_id"])
            if path.exists():
                outcome = noted.get(record["isic_id"])
                if outcome is None:
                    outcome = Outcome(record["isic_id"], path.stat().st_size, sha256_of_file(path))
                    self._note(outcome)
                found[record["isic_id"]] = outcome
        return found

    def fetch(self, records: Iterable[Record], jobs: int) -> Iterator[Outcome]:
        """In the order in which they arrive."""
        self._images.mkdir(exist_ok=True)
        with ThreadPoolExecutor(jobs) as pool:
            running: set[Future[Outcome]] = set()
            try:
                for record in records:
                    running.add(pool.submit(self._fetch_one, record))
                    if len(running) >= 2 * jobs:
                        done, running = wait(running, return_when=FIRST_COMPLETED)
                        yield from map(self._noted_result, done)
                for future in running:
                    yield self._noted_result(future)
            finally:
                pool.shutdown(cancel_futures=True)

    def path(self, isic_id: str) -> Path:
        return self._images / f"{isic_id}.jpg"

    def _fetch_one(self, record: Record) -> Outcome:
        isic_id = record["isic_id"]
        failure = ""
        for _ in range(ATTEMPTS):
            try:
                body = self._web.get(address(record, self._size))
            except RefusedError as error:
                if error.status not in EXPIRED:
                    return Outcome(isic_id, failure=str(error))
                failure = f"{error}, also to a fresh address"
                try:
                    record = self._listing.again(record, self._web)
                except RefusedError as gone:
                    return Outcome(isic_id, failure=f"{error}, and its record did not come: {gone}")
                continue
            failure = fault(body, expected_bytes(record, self._size))
            if not failure:
                with replaced_file(self.path(isic_id)) as partial:
                    partial.write_bytes(body)
                return Outcome(isic_id, len(body), hashlib.sha256(body).hexdigest())
        return Outcome(isic_id, failure=failure)

    def _noted_result(self, future: "Future[Outcome]") -> Outcome:
        outcome = future.result()
        if not outcome.failure:
            self._note(outcome)
        return outcome

    def _note(self, outcome: Outcome) -> None:
        with self._journal.open("a", newline="") as file:
            csv.writer(file).writerow([outcome.isic_id, outcome.size, outcome.sha256])

    def _noted(self) -> dict[str, Outcome]:
        """A line that a killed run did not finish is none."""
        if not self._journal.exists():
            return {}
        with self._journal.open(newline="") as file:
            lines = [line for line in csv.reader(file) if len(line) == 3 and len(line[2]) == 64]
        return {isic_id: Outcome(isic_id, int(size), sha256) for isic_id, size, sha256 in lines}


def has_image(record: Record, size: str) -> bool:
    return bool(((record.get("files") or {}).get(size) or {}).get("url"))


def address(record: Record, size: str) -> str:
    return str(record["files"][size]["url"])


def expected_bytes(record: Record, size: str) -> int:
    """As the record says; 0 where it does not."""
    return int(record["files"][size].get("size") or 0)


def fault(body: bytes, expected: int) -> str:
    """What is wrong with a file's bytes; empty if nothing is."""
    if not body.startswith(STARTS):
        return f"no image arrives, but {body[:20]!r}"
    if expected and len(body) != expected:
        return f"{len(body):,} bytes arrive, and the record says {expected:,}"
    return ""
