"""What every section of params.yaml is: typed, frozen, no unknown key, no default."""

from pydantic import BaseModel, ConfigDict


class Section(BaseModel):
    """A mapping in params.yaml. Strict: no string passes for a number, no true for 1."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)
