"""What goes with downloaded images: their metadata as ``ingest`` reads them, whom to credit, and their licences."""

import csv
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

from pipeline.isic_archive.listing import Listing, Record
from pipeline.isic_archive.transfers import Outcome
from pipeline.store import replaced_file, write_text

FIRST = ("isic_id", "attribution", "copyright_license", "sha256")
DEEDS = {  # where a licence's text is
    "CC-0": "https://creativecommons.org/publicdomain/zero/1.0/",
    "CC-BY": "https://creativecommons.org/licenses/by/4.0/",
    "CC-BY-NC": "https://creativecommons.org/licenses/by-nc/4.0/",
}


def write_papers(folder: Path, listing: Listing, present: Mapping[str, Outcome]) -> None:
    """``metadata.csv``, ``attribution.txt`` and ``licenses/``, of the images that are there.

    Args:
        present: by isic_id.
    """

    def rows() -> Iterator[dict[str, str]]:
        for record in listing.records():
            if record["isic_id"] in present:
                yield flat(record) | {"sha256": present[record["isic_id"]].sha256}

    columns = dict.fromkeys(FIRST) | dict.fromkeys(sorted({column for row in rows() for column in row}))
    credited, licences = set(), Counter[str]()
    with replaced_file(folder / "metadata.csv") as partial, partial.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(columns), restval="", lineterminator="\n")
        writer.writeheader()
        for row in rows():  # read again rather than kept: of the whole archive, the records would fill the memory
            writer.writerow(row)
            credited.add(row["attribution"])
            licences[row["copyright_license"]] += 1
    write_text(folder / "attribution.txt", "".join(f"{name}\n" for name in sorted(credited - {""})))
    for licence, count in sorted(licences.items()):
        name = re.sub(r"[^A-Za-z0-9.-]", "_", licence) or "not_stated"
        where = f"Its text: {DEEDS[licence]}\n" if licence in DEEDS else ""
        write_text(folder / "licenses" / f"{name}.txt", f"{licence or 'No licence stated'}: {count:,} images.\n{where}")


def flat(record: Record) -> dict[str, str]:
    """The columns of one image: what the archive calls clinical and acquisition, side by side."""
    metadata = record.get("metadata") or {}
    fields = {**(metadata.get("acquisition") or {}), **(metadata.get("clinical") or {})}
    fields |= {name: record.get(name) for name in FIRST[:-1]}
    return {name: "" if value is None else str(value) for name, value in fields.items()}
