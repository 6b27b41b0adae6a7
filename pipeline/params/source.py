"""Where the metadata and the images come from."""

from typing import Literal

from pydantic import field_validator

from pipeline.params.section import Section

Label = Literal["benign", "malignant", "indeterminate", "unknown"]


class SourceParams(Section):
    name: str  # the `source` column where the metadata has none
    metadata: str  # a folder of JSON records, a CSV file, or a folder of CSVs of one format
    images: str  # the folder that `file` in the metadata is relative to
    masks: str | None  # lesion masks named <image_id>*.png; null: none
    columns: dict[str, str]  # column of data/metadata.csv: column of the CSV; empty: a known format
    labels: dict[str, Label]  # value of the label column, or a diagnosis code: our label; empty: the vocabulary

    @field_validator("columns")
    @classmethod
    def _known_columns(cls, columns: dict[str, str]) -> dict[str, str]:
        known = [column for column in METADATA_COLUMNS if column not in ("target", "origin")]  # they follow
        unknown = set(columns) - set(known)
        if unknown:
            raise ValueError(f"maps unknown columns {sorted(unknown)}; known: {', '.join(known)}")
        if columns and not {"image_id", "label"} <= set(columns):
            raise ValueError("must map at least image_id and label")
        return columns


METADATA_COLUMNS = (
    "image_id",
    "file",
    "sha256",
    "label",
    "target",
    "diagnosis",
    "patient_id",
    "lesion_id",
    "sex",
    "age_approx",
    "anatom_site",
    "image_type",
    "source",
    "licence",
    "attribution",
    "official_split",
    "origin",
)
