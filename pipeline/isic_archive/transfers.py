"""Image files from the archive, each complete under its name or absent."""

import csv
import hashlib
from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from pathlib import Path
from typing import NamedTuple

from pipeline.isic_archive.listing import ImageFile, Listing
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
    """The images of a folder."""

    def __init__(self, folder: Path, listing: Listing, web: Web) -> None:
        self._images, self._journal = folder / "images", folder / ".download/sha256.csv"
        self._listing, self._web = listing, web

    def present(self, files: Iterable[ImageFile]) -> dict[str, Outcome]:
        """The images that are there. A file that was not noted, as the run was killed just then, is noted now."""
        noted = self._noted()
        found = {}
        for isic_id, *_ in files:
            path = self.path(isic_id)
            if path.exists():
                outcome = noted.get(isic_id)
                if outcome is None:
                    outcome = Outcome(isic_id, path.stat().st_size, sha256_of_file(path))
                    self._note(outcome)
                found[isic_id] = outcome
        return found

    def fetch(self, files: Iterable[ImageFile], jobs: int) -> Iterator[Outcome]:
        """In the order in which they arrive."""
        self._images.mkdir(exist_ok=True)
        with ThreadPoolExecutor(jobs) as pool:
            running: set[Future[Outcome]] = set()
            try:
                for file in files:
                    running.add(pool.submit(self._fetch_one, file))
                    if len(running) >= 2 * jobs:
                        done, running = wait(running, return_when=FIRST_COMPLETED)
                        yield from map(self._noted_result, done)
                for future in running:
                    yield self._noted_result(future)
            finally:
                pool.shutdown(cancel_futures=True)

    def path(self, isic_id: str) -> Path:
        return self._images / f"{isic_id}.jpg"

    def _fetch_one(self, file: ImageFile) -> Outcome:
        isic_id = file.isic_id
        failure = ""
        for _ in range(ATTEMPTS):
            try:
                body = self._web.get(file.url)
            except RefusedError as error:
                if error.status not in EXPIRED:
                    return Outcome(isic_id, failure=str(error))
                failure = f"{error}, also to a fresh address"
                try:
                    file = self._listing.again(isic_id, self._web)
                except RefusedError as gone:
                    return Outcome(isic_id, failure=f"{error}, and its record did not come: {gone}")
                continue
            failure = fault(body, file.size)
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


def fault(body: bytes, expected: int) -> str:
    """What is wrong with a file's bytes; empty if nothing is."""
    if not body.startswith(STARTS):
        return f"no image arrives, but {body[:20]!r}"
    if expected and len(body) != expected:
        return f"{len(body):,} bytes arrive, and the record says {expected:,}"
    return ""
