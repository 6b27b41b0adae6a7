"""The libraries that a result depends on: versions.txt, which every stage depends on, and what is installed."""

from collections import defaultdict
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from pipeline.errors import InputError

VERSIONS = Path(__file__).parent.parent / "versions.txt"


def check_versions() -> None:
    """Raises InputError if a library has another version than DVC takes it to have; one may be missing.

    Where there are several of one, each is for some version of Python.
    """
    known = defaultdict(set)
    for line in VERSIONS.read_text(encoding="utf-8").splitlines():
        name, _, of_name = line.partition(";")[0].strip().partition("==")
        known[name].add(of_name)
    wrong = []
    for name, versions in known.items():
        try:
            found = version(name)
        except PackageNotFoundError:
            continue
        if found.partition("+")[0] not in versions:  # 2.15.0+cu130 is a build of 2.15.0
            wrong.append(f"{name} is {found} here and {' or '.join(sorted(versions))} in {VERSIONS.name}")
    if wrong:
        raise InputError(
            f"{'; '.join(wrong)}: results would be those of other versions than DVC knows of; install "
            f"requirements.lock, or write into {VERSIONS.name} what is here, and all that rests on it runs again"
        )
