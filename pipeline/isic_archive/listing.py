"""The list of images to download: pages of records as the archive gives them, kept on disk until the last is there."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlencode, urljoin

from pipeline.errors import InputError
from pipeline.isic_archive.web import RefusedError, Web
from pipeline.progress import progress_bar
from pipeline.store import read_json, write_json

PAGE = 100  # records, the archive's most
Record = Mapping[str, Any]


class Wanted(NamedTuple):
    """What a folder holds; it never changes, as thumbnails beside full images would teach a classifier the size."""

    query: str  # in the archive's own language; empty: all
    collections: str  # ids, separated by commas; empty: all
    size: str  # full | thumbnail_256
    limit: int | None  # images, at most


class Listing:
    """The pages of a folder."""

    def __init__(self, folder: Path, api: str, wanted: Wanted) -> None:
        self._folder = folder / ".download"
        self._api, self._wanted = api, wanted

    def check(self) -> None:
        """Claims the folder for what is wanted.

        Raises:
            InputError: if it was begun for something else.
        """
        path = self._folder / "wanted.json"
        if path.exists():
            begun = Wanted(**read_json(path))
            if begun != self._wanted:
                other = [name for name in Wanted._fields if getattr(begun, name) != getattr(self._wanted, name)]
                raise InputError(
                    f"{self._folder.parent} was begun with {', '.join(f'--{n} {getattr(begun, n)!r}' for n in other)}; "
                    "go on with that, or give another --out"
                )
        write_json(path, self._wanted._asdict())

    def fetch(self, web: Web) -> None:
        """The pages that are not there yet.

        Raises:
            InputError: if the archive does not give one.
        """
        number, url, listed, expected = self._state()
        with progress_bar("listing", expected, "images", listed) as bar:
            while url and (self._wanted.limit is None or listed < self._wanted.limit):
                try:
                    page = _checked(web.get_json(url))
                except RefusedError as error:
                    raise InputError(
                        f"page {number} of the list of images did not come: {error}; "
                        "run the same command again, what is there is kept"
                    ) from error
                if number == 0:
                    bar.total = page["count"]
                write_json(self._page(number), page)
                number, url, listed = number + 1, page["next"], listed + len(page["results"])
                bar.update(len(page["results"]))

    def records(self) -> Iterator[Record]:
        """Each image once, in the archive's order, as far as the pages go."""
        seen: set[str] = set()
        for path in sorted(self._folder.glob("page_*.json")):
            for record in read_json(path)["results"]:
                if len(seen) == self._wanted.limit:
                    return
                if record["isic_id"] not in seen:
                    seen.add(record["isic_id"])
                    yield record

    def again(self, record: Record, web: Web) -> Record:
        """The record as it is now, with addresses that have not expired.

        Raises:
            RefusedError: if it does not come.
        """
        return dict(web.get_json(urljoin(self._api, f"images/{record['isic_id']}/")))

    def _state(self) -> tuple[int, str | None, int, int]:
        """Number and address of the next page, and how many images are listed and how many there are."""
        pages = [read_json(path) for path in sorted(self._folder.glob("page_*.json"))]
        if not pages:
            return 0, urljoin(self._api, f"images/search/?{self._first()}"), 0, 0
        return len(pages), pages[-1]["next"], sum(len(page["results"]) for page in pages), pages[0]["count"]

    def _first(self) -> str:
        asked = {"query": self._wanted.query, "collections": self._wanted.collections}
        return urlencode({"limit": PAGE, **{name: value for name, value in asked.items() if value}})

    def _page(self, number: int) -> Path:
        return self._folder / f"page_{number:06d}.json"


def _checked(page: Any) -> dict[str, Any]:
    """A page in the form in which it is kept.

    Raises:
        RefusedError: if it is none.
    """
    try:
        results = [record for record in page["results"] if safe_name(record["isic_id"])]
        return {"results": results, "next": page["next"], "count": page.get("count") or 0}
    except (KeyError, TypeError, AttributeError) as error:
        raise RefusedError(200, f"the answer is no page of records: {str(page)[:40]!r}") from error


def safe_name(isic_id: str) -> bool:
    """Whether it can be a file's name; no other is from the archive."""
    return isic_id.replace("_", "").isalnum() and isic_id.isascii()
