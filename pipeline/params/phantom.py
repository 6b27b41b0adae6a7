"""The procedural dermoscopy set."""

from pydantic import Field

from pipeline.params.section import Section


class PhantomParams(Section):
    images: int = Field(ge=0)  # 0: no phantom
    size: int = Field(ge=32, le=1024)  # px, the shorter side of a rendered photograph
    malignant: float = Field(gt=0, lt=1)  # share of malignant lesions
    duplicates: float = Field(ge=0, le=0.2)  # share of records that are an exact copy of another image under a new id
    unreadable: float = Field(ge=0, le=0.2)  # share of files that no decoder can read
    unlabelled: float = Field(ge=0, le=0.2)  # share of records without a label
