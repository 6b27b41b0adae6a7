"""Stage check_params: segmentation/params.yaml in, a constant marker out; every mistake in one line, all at once."""

from pathlib import Path

from pipeline.errors import InputError
from pipeline.params.reader import read_tree
from pipeline.stage import run_stage
from pipeline.store import write_text
from segmentation.params import PARAMS, mistakes

MARKER = Path("data/segmentation/check_params.txt")
PHANTOM = "data/segmentation/raw/phantom"  # a later stage writes it


def main() -> None:
    tree = read_tree(PARAMS)
    found = mistakes(tree)
    folder = "" if found else tree["source"]["folder"]
    if not found and folder != PHANTOM and not Path(folder).is_dir():
        found = [f"source.folder is {folder}, which is no folder; copy or link it there, or correct the path"]
    if found:
        count = "a mistake" if len(found) == 1 else f"{len(found)} mistakes"
        raise InputError("\n  ".join([f"{PARAMS} has {count}:", *found]))
    write_text(MARKER, f"{PARAMS} is valid\n")  # constant: an edit costs this stage and reruns no other by itself


if __name__ == "__main__":
    run_stage(main)
