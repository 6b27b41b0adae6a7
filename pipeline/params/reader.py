"""Reading params.yaml: the part that one stage declares, checked."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import ErrorDetails
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from pipeline.errors import InputError

PARAMS = Path("params.yaml")


class StageParams(BaseModel):
    """The params of one stage. Each field's alias is the very string in the stage's ``params:`` list in dvc.yaml."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


T = TypeVar("T", bound=StageParams)
M = TypeVar("M", bound=BaseModel)


def parse(text: str) -> Any:
    """YAML as DVC reads it, by the same reader: where two read ``010`` differently, one would miss a change of it.

    Raises:
        YAMLError: if it is none.
    """
    return YAML(typ="safe").load(text)


def read_tree(path: Path = PARAMS) -> dict[str, Any]:
    """All of params.yaml as it stands, unchecked.

    Raises:
        InputError: if it is missing, no YAML, or no mapping.
    """
    if not path.is_file():
        raise InputError(
            f"{path} does not exist; run from the repository's root, or copy a recipe: cp recipes/smoke.yaml {path}"
        )
    try:
        tree = parse(path.read_text(encoding="utf-8"))
    except YAMLError as error:
        raise InputError(f"{path} is not valid YAML: {' '.join(str(error).split())}") from error
    if not isinstance(tree, dict):
        raise InputError(f"{path} must be a mapping of sections, got {type(tree).__name__}")
    return tree


def read_params(kind: type[T], path: Path = PARAMS, **items: str) -> T:
    """The params that ``kind`` declares.

    Args:
        path: the file that they stand in.
        items: the stage's matrix items, for aliases such as ``classifier.real_schemes.${item.scheme}``.
    """
    tree = read_tree(path)
    values, keys = {}, {}
    for name, field in kind.model_fields.items():
        alias = field.alias or name
        keys[alias] = resolve(alias, tree, items)
        values[alias] = lookup(tree, keys[alias], path)
    return checked(kind, values, keys)


def checked(kind: type[M], values: Mapping[str, Any], keys: Mapping[str, str]) -> M:
    """The values as ``kind``. Raises InputError, each mistake under its dotted key in params.yaml.

    Args:
        keys: dotted key of each value, where it is not the value's own name.
    """
    try:
        return kind.model_validate(values)
    except ValidationError as error:
        raise InputError("; ".join(describe(detail, keys) for detail in error.errors())) from error


def resolve(alias: str, tree: Mapping[str, Any], items: Mapping[str, str]) -> str:
    """``gan.variants.${gan.variant}`` to ``gan.variants.dcgan``, as DVC's templating does."""
    return re.sub(
        r"\$\{([^}]+)\}",
        lambda match: (
            items[match[1].removeprefix("item.")] if match[1].startswith("item.") else str(lookup(tree, match[1]))
        ),
        alias,
    )


def lookup(tree: Mapping[str, Any], key: str, path: Path = PARAMS) -> Any:
    """The value at a dotted key. Raises InputError when there is none."""
    value: Any = tree
    for part in key.split("."):
        if not isinstance(value, Mapping) or part not in value:
            raise InputError(f"{key} is missing in {path}")
        value = value[part]
    return value


def describe(detail: ErrorDetails, keys: Mapping[str, str] | None = None) -> str:
    """One line for one mistake: the dotted key, the rule and the value."""
    # pydantic names a bad key of a mapping by the key, then "[key]".
    first, *rest = [str(part) for part in detail["loc"] if part != "[key]"]
    key = ".".join([(keys or {}).get(first, first), *rest])
    if detail["type"] == "extra_forbidden":
        return f"{key} is not a known key; check the spelling or remove it"
    if detail["type"] == "missing":
        return f"{key} is missing"
    if detail["type"] == "value_error":  # one of our own rules, whose message holds the value
        return f"{key} {detail['msg'].removeprefix('Value error, ')}"
    message = detail["msg"].removeprefix("Input ")
    return f"{key} {message[0].lower()}{message[1:]}, got {detail['input']!r}"
