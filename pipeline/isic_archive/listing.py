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


class ImageFile(NamedTuple):
    """One image's file; a slim thing, as there are hundreds of thousands."""

    isic_id: str
    url: str  # empty: there is none
    size: int  # bytes; 0: not said


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
                        f"page {number} of the list of images did not come: {error}; run the same command again, what "
                        f"is there is kept; if that does not help, remove {self._folder}: the list then starts anew"
                    ) from error
                if number == 0:
                    bar.total = page["count"]
                write_json(self._page(number), page)
                number, url, listed = number + 1, page["next"], listed + len(page["results"])
                bar.update(len(page["results"]))

    def records(self) -> Iterator[Record]:
        """Each image once, in the archive's order, as far as the pages go."""
        seen: set[str] = set()
        for path in self._pages():
            for record in read_json(path)["results"]:
                if len(seen) == self._wanted.limit:
                    return
                if record["isic_id"] not in seen:
                    seen.add(record["isic_id"])
                    yield record

    def files(self) -> list[ImageFile]:
        """The file of each image, of the wanted size."""
        return [image_file(record, self._wanted.size) for record in self.records()]

    def unusable(self) -> int:
        """Records that were left out, as their id can be no file's name."""
        return sum(read_json(path)["unusable"] for path in self._pages())

    def again(self, isic_id: str, web: Web) -> ImageFile:
        """The file at an address that has not expired.

        Raises:
            RefusedError: if its record does not come.
        """
        record = web.get_json(urljoin(self._api, f"images/{isic_id}/"))
        if not usable(record):
            raise RefusedError(200, f"the answer is no record: {str(record)[:40]!r}")
        return image_file(record, self._wanted.size)

    def _state(self) -> tuple[int, str | None, int, int]:
        """Number and address of the next page, and how many images are listed and how many there are."""
        paths = self._pages()
        if not paths:
            return 0, urljoin(self._api, f"images/search/?{self._first()}"), 0, 0
        listed = sum(len(read_json(path)["results"]) for path in paths)
        return len(paths), read_json(paths[-1])["next"], listed, read_json(paths[0])["count"]

    def _first(self) -> str:
        asked = {"query": self._wanted.query, "collections": self._wanted.collections}
        return urlencode({"limit": PAGE, **{name: value for name, value in asked.items() if value}})

    def _pages(self) -> list[Path]:
        return sorted(self._folder.glob("page_*.json"))

    def _page(self, number: int) -> Path:
        return self._folder / f"page_{number:06d}.json"


def _checked(page: Any) -> dict[str, Any]:
    """A page in the form in which it is kept.

    Raises:
        RefusedError: if it is none.
    """
    try:
        results = [record for record in page["results"] if usable(record)]
        unusable = len(page["results"]) - len(results)
        return {"results": results, "unusable": unusable, "next": page["next"], "count": page.get("count") or 0}
    except (KeyError, TypeError, AttributeError) as error:
        raise RefusedError(200, f"the answer is no page of records: {str(page)[:40]!r}") from error


def usable(record: Any) -> bool:
    """Whether it is a record whose id can be a file's name; no other is from the archive."""
    isic_id = record.get("isic_id") if isinstance(record, Mapping) else None
    return isinstance(isic_id, str) and isic_id.isascii() and isic_id.replace("_", "").isalnum()


def image_file(record: Record, size: str) -> ImageFile:
    """The file that a record names.

    Args:
        size: full or thumbnail_256.
    """
    file = (record.get("files") or {}).get(size) or {}
    said = file.get("size")
    return ImageFile(record["isic_id"], file.get("url") or "", said if isinstance(said, int) else 0)
