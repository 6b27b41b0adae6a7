"""The procedural dermoscopy set."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from pipeline.params.section import Section

Rate = Annotated[float, Field(ge=0, le=0.2)]  # share of all records


class PhantomParams(Section):
    images: int = Field(ge=0)  # 0: no phantom
    shorter_side: int = Field(ge=32, le=1024)  # px, of a rendered photograph
    malignant: float = Field(gt=0, lt=1)  # share of malignant lesions
    skin: list[float] = Field(min_length=6, max_length=6)  # shares of patients with skin of Fitzpatrick's types I to VI
    duplicate: Rate  # a copy of another image's file under a new id, of another patient
    near_duplicate: Rate  # the same, but recompressed, flipped, rotated, halved or squashed
    unreadable: Rate  # a file that no decoder can read
    other_format: Rate  # a file that holds another format than its name says
    colour_mode: Rate  # CMYK, RGBA, 16-bit gray, gray
    exif_orientation: Rate  # stored turned, with a tag that says how
    unlabelled: Rate  # no label
    indeterminate: Rate  # a label that is neither benign nor malignant
    synthetic: Rate  # marked as no photograph
    non_dermoscopic: Rate  # clinical close-ups, and tiles of whole-body photographs

    @model_validator(mode="after")
    def _shares(self) -> Self:
        total = sum(self.model_dump(exclude={"images", "shorter_side", "malignant", "skin"}).values())
        if total > 0.5:
            raise ValueError(f"fault rates must sum to 0.5 at most, got {total:g}; lower some of them")
        if min(self.skin) < 0 or abs(sum(self.skin) - 1) > 1e-6:
            raise ValueError(f"skin has shares {self.skin}; none may be negative and their sum must be 1")
        return self
