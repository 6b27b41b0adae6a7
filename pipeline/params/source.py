"""Where the metadata and the images come from."""

from typing import Annotated, Literal

from pydantic import ConfigDict, Field, RootModel, field_validator

from pipeline.params.section import OwnKey, Section

Label = Literal["benign", "malignant", "indeterminate", "unknown"]
SourceName = Annotated[OwnKey, Field(pattern=r"^[a-z0-9_]+$")]


class ImageSet(Section):
    """Metadata, and the images that they tell of."""

    metadata: str  # JSON records, a CSV or a parquet file, or a folder of one of them
    images: str  # the folder that `file` in the metadata is relative to
    columns: dict[OwnKey, str]  # column of data/metadata.csv: column of the CSV; empty: a known format
    labels: dict[OwnKey, Label]  # value of the label column, or a diagnosis code: our label; empty: the vocabulary

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


class SourceParams(ImageSet):
    masks: str | None  # lesion masks named <image_id>*.png; null: none


class Sources(RootModel[Annotated[dict[SourceName, SourceParams], Field(min_length=1)]]):
    """Every source by its name, the ``dataset`` of its rows; what two of them say of one image, the first one settles.

    The name is also the ``source`` of rows whose metadata name none.
    """

    model_config = ConfigDict(frozen=True, strict=True)

    @property
    def names(self) -> str:
        return " and ".join(self.root)


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
