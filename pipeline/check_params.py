"""Stage check_params: params.yaml in, a constant marker out; every mistake in one line, all at once."""

from pathlib import Path

from pipeline.errors import InputError
from pipeline.params.document import mistakes
from pipeline.params.reader import PARAMS, read_tree
from pipeline.stage import run_stage
from pipeline.store import write_text

MARKER = Path("data/check_params.txt")


def main() -> None:
    if found := mistakes(read_tree()):
        count = "a mistake" if len(found) == 1 else f"{len(found)} mistakes"
        raise InputError("\n  ".join([f"{PARAMS} has {count}:", *found]))
    write_text(MARKER, "params.yaml is valid\n")  # constant: an edit costs this stage and reruns no other by itself


if __name__ == "__main__":
    run_stage(main)
