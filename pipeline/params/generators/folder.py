"""Settings of gan.variants.folder: images made elsewhere."""

from typing import ClassVar

from pipeline.params.section import VariantSettings


class Settings(VariantSettings):
    FOLDERS: ClassVar[tuple[str, ...]] = ("benign", "malignant")

    benign: str | None  # a folder whose name ends in the first digits of its content's sha256; null: none
    malignant: str | None  # the same
