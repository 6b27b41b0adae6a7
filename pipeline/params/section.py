"""What every section of params.yaml is: typed, frozen, no unknown key, no default."""

from typing import ClassVar

from pydantic import BaseModel, ConfigDict


class Section(BaseModel):
    """A mapping in params.yaml. Strict: no string passes for a number, no true for 1."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class VariantSettings(Section):
    """A block under gan.variants."""

    ONLY_TURNS: ClassVar[str] = ""  # why no other augmentation than a turn will do; empty: any will
    FOLDERS: ClassVar[tuple[str, ...]] = ()  # settings that are the folder of a class's images, named after the class
    LIBRARY: ClassVar[str | None] = None  # that must be installed besides; None: none
