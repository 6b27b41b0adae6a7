"""Stage manifest: what every stage so far did with each record in; which images were used, and whose they are, out."""

from pathlib import Path

import pandas as pd

from pipeline.licences import forbids_commerce, licence_counts
from pipeline.stage import run_stage
from pipeline.store import read_csv, write_csv, write_text
from pipeline.usable import drop_reasons

METADATA = Path("data/metadata.csv")
REDUCED = Path("data/reduced.csv")
IMAGES = Path("data/images")
PACKED = IMAGES / "manifest.csv"
QUARANTINE = IMAGES / "quarantine.csv"
SPLITS = Path("data/splits.csv")
MANIFEST = Path("data/manifest.csv")
ATTRIBUTION = Path("reports/attribution.md")

COLUMNS = ["image_id", "file", "sha256", "bytes", "licence", "attribution", "origin", "dataset", "outcome"]
NOT_CHOSEN = "not chosen"
TEXT = {"dtype": str, "keep_default_na": False}


def main() -> None:
    metadata, reduced, packed, quarantine, splits = (
        read_csv(path, **TEXT) for path in (METADATA, REDUCED, PACKED, QUARANTINE, SPLITS)
    )
    table = manifest(metadata, reduced, packed, quarantine, splits)
    write_csv(MANIFEST, table)
    write_text(ATTRIBUTION, attribution(table))
    outcomes = table["outcome"].str.split(":").str[0].value_counts()  # broken files are broken in many ways
    print("; ".join(f"{outcome}: {count:,}" for outcome, count in outcomes.items()))


def manifest(
    metadata: pd.DataFrame, reduced: pd.DataFrame, packed: pd.DataFrame, quarantine: pd.DataFrame, splits: pd.DataFrame
) -> pd.DataFrame:
    """A row for every record, all text: COLUMNS.

    ``outcome`` is the split that the image is in, or else why it is in none. ``sha256`` and ``bytes`` are those of the
    file that was read; of others the hash that the metadata give.
    """
    table = metadata.set_index("image_id", drop=False)
    outcome = drop_reasons(table).str.replace("_", " ")
    outcome[outcome == ""] = NOT_CHOSEN
    for found, column in ((quarantine, "reason"), (splits, "split")):
        outcome.update(found.set_index("image_id")[column])
    read = packed.set_index("image_id").reindex(table.index)
    sha256 = read["sha256"].fillna(table["sha256"])
    table = table.assign(sha256=sha256, bytes=read["bytes"].fillna(""), outcome=outcome)
    return table[COLUMNS].reset_index(drop=True)


def attribution(table: pd.DataFrame) -> str:
    """Whom to credit for the images in the splits, and under which licences they are, as Markdown."""
    used = table[table["outcome"].isin(["train", "val", "test"])]
    counts = licence_counts(used, used["image_id"])
    not_for_sale = sum(count for licence, _, count in counts if forbids_commerce(licence))
    rows = [f"| {_cell(licence)} | {_cell(credit)} | {count:,} |" for licence, credit, count in counts]
    warning = f"{not_for_sale:,} of them may not be used commercially.\n" if not_for_sale else ""
    return "\n".join(
        [
            "# Attribution\n",
            f"{len(used):,} of {len(table):,} images are used; `data/manifest.csv` lists every one. {warning}",
            "| licence | attribution | images |",
            "| --- | --- | --- |",
            *rows,
            "",
        ]
    )


def _cell(value: str) -> str:
    return value.replace("|", r"\|")


if __name__ == "__main__":
    run_stage(main)
