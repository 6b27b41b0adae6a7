"""What every section of params.yaml is: typed, frozen, no unknown key, no default."""

from typing import Annotated, ClassVar

from pydantic import AfterValidator, BaseModel, ConfigDict

# DVC 3.67 leaves these keys out of what it looks a stage up by in its run cache, in mappings of any depth: a change
# beneath one would bring back the outputs of another value. A section with such a key is tracked leaf by leaf.
UNSEEN_BY_RUN_CACHE = frozenset({"size", "nfiles"})


class Section(BaseModel):
    """A mapping in params.yaml. Strict: no string passes for a number, no true for 1."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class VariantSettings(Section):
    """A block under gan.variants."""

    ONLY_TURNS: ClassVar[str] = ""  # why no other augmentation than a turn will do; empty: any will
    FOLDERS: ClassVar[tuple[str, ...]] = ()  # settings that are the folder of a class's images, named after the class
    LIBRARY: ClassVar[str | None] = None  # that must be installed besides; None: none


def _seen_by_run_cache(name: str) -> str:
    if name in UNSEEN_BY_RUN_CACHE:
        raise ValueError(
            f"is called {name!r}, a name that DVC leaves out when it looks for an earlier result, so that a change "
            "beneath it would give an old one; choose another name"
        )
    return name


OwnKey = Annotated[str, AfterValidator(_seen_by_run_cache)]  # of a mapping whose keys are the user's
