"""Stage check_params: params.yaml in, a constant marker out; every mistake in one line, all at once."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pipeline.errors import InputError
from pipeline.params.document import mistakes
from pipeline.params.generators import SETTINGS
from pipeline.params.reader import PARAMS, read_tree
from pipeline.stage import run_stage
from pipeline.store import write_text

MARKER = Path("data/check_params.txt")


PHANTOM = "data/raw/phantom/"  # what is under it is written by a later stage


def main() -> None:
    tree = read_tree()
    found = mistakes(tree)
    if not any(line.startswith(("source", "gan")) for line in found):
        found += absent_files(tree["source"], tree["gan"])
    if found:
        count = "a mistake" if len(found) == 1 else f"{len(found)} mistakes"
        raise InputError("\n  ".join([f"{PARAMS} has {count}:", *found]))
    write_text(MARKER, "params.yaml is valid\n")  # constant: an edit costs this stage and reruns no other by itself


def absent_files(sources: Mapping[str, Any], gan: Mapping[str, Any]) -> list[str]:
    """The user's files that are not there; DVC would only say that data are missing, and much later."""
    keys = ("metadata", "images", "masks")
    paths = {f"source.{name}.{key}": source[key] for name, source in sources.items() for key in keys}
    variant = gan["variant"]
    for name in SETTINGS[variant].FOLDERS:
        paths[f"gan.variants.{variant}.{name}"] = gan["variants"][variant][name]
    return [
        f"{key} is {path}, which does not exist; copy or link it there, or correct the path"
        for key, path in paths.items()
        if path is not None and not path.startswith(PHANTOM) and not Path(path).exists()
    ]


if __name__ == "__main__":
    run_stage(main)
