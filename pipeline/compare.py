"""Command compare: the saved experiments and commits in; one table of generators and schemes with intervals out.

python -m pipeline.compare [REVISION ...] [--csv FILE]

Without a revision: HEAD and every experiment that ``dvc exp run`` saved upon it. Each row is read from its own
reports/classifier/<scheme>.json, so nothing is trained or checked out. What an experiment was run with besides
gan.variant, where that differs from the first one's, is said in its row: such rows are no comparison of generators.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from pipeline.errors import InputError
from pipeline.params.reader import parse
from pipeline.reporting.text import auc_cell, enumerate_names, gain_cell, setting_rows
from pipeline.store import write_csv

EXPERIMENTS = "refs/exps"  # where dvc keeps them: refs/exps/<2 digits>/<38 digits of the commit they began from>/<name>
REPORTS = "reports/classifier"
RIVALS = {"auc_gain_over_classic": "gain over classic", "auc_gain_over_placebo": "gain over placebo"}
LISTED = 3  # params that are named in a row


class Experiment(NamedTuple):
    name: str
    params: dict[str, Any]
    reports: dict[str, dict[str, Any]]  # of each scheme


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("revisions", nargs="*", metavar="REVISION", help="commits, branches, tags or experiments")
    parser.add_argument("--csv", type=Path, metavar="FILE", help="the same rows, with every digit")
    given = parser.parse_args()
    try:
        experiments = [read_experiment(name, revision) for name, revision in named_revisions(given.revisions)]
        print(markdown(experiments))
        if given.csv:
            write_csv(given.csv, numbers(experiments))
    except (InputError, OSError) as error:
        sys.exit(f"compare: {error}")


def git(*arguments: str) -> str:
    """What git prints. Raises InputError with its complaint."""
    done = subprocess.run(["git", *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        raise InputError(done.stderr.strip().splitlines()[0].removeprefix("fatal: "))
    return done.stdout


def named_revisions(given: Sequence[str]) -> list[tuple[str, str]]:
    """Name and commit of each; by default HEAD and the experiments that began there, oldest first."""
    head = git("rev-parse", "HEAD").strip()
    saved = git("for-each-ref", "--sort=creatordate", "--format=%(refname) %(objectname)", EXPERIMENTS)
    places = [line.split(" ") for line in saved.splitlines() if len(line.split(" ")[0].split("/")) == 5]
    of_name = {place.rsplit("/", 1)[1]: commit for place, commit in places}
    if given:
        return [(name, of_name.get(name) or git("rev-parse", f"{name}^{{commit}}").strip()) for name in given]
    upon_head = f"{EXPERIMENTS}/{head[:2]}/{head[2:]}/"
    return [("HEAD", head), *((p.rsplit("/", 1)[1], commit) for p, commit in places if p.startswith(upon_head))]


def read_experiment(name: str, commit: str) -> Experiment:
    """Raises InputError where a revision holds no reports: it was not run to its end, or they were not committed."""
    files = git("ls-tree", "--name-only", commit, f"{REPORTS}/").split()
    if not files:
        raise InputError(f"{name} has no {REPORTS}/; run `dvc repro` and commit reports/, or leave {name} out")
    reports = {Path(file).stem: json.loads(git("show", f"{commit}:{file}")) for file in files}
    params = dict(setting_rows(parse(git("show", f"{commit}:params.yaml"))))
    order = [key.split(".")[2] for key in params if key.startswith("classifier.") and "_schemes." in key]
    return Experiment(name, params, {scheme: reports[scheme] for scheme in dict.fromkeys(order) if scheme in reports})


def markdown(experiments: Sequence[Experiment]) -> str:
    """Schemes with synthetic images by experiment; the others once for every experiment in which they differ."""
    head = ["experiment", "gan.variant", "scheme", "AUC", *RIVALS.values(), "verdict", "differs also in"]
    lines = [f"| {' | '.join(head)} |", "|" + " --- |" * len(head)]
    for experiment, scheme, report in rows(experiments):
        gains = [" ".join(filter(None, _cell(gain_cell(report, key)))) for key in RIVALS]
        variant = experiment.params["gan.variant"] if report["synthetic_images"] else ""
        cells = [experiment.name, variant, scheme, " ".join(_cell(auc_cell(report))), *gains, report["verdict"]]
        lines.append(f"| {' | '.join([*cells, differing(experiment, experiments[0])])} |")
    return "\n".join(lines)


def _cell(value_and_interval: tuple[str, str]) -> tuple[str, str]:
    value, interval = value_and_interval
    return value, f"({interval})" if interval else ""


def rows(experiments: Sequence[Experiment]) -> list[tuple[Experiment, str, dict[str, Any]]]:
    seen: list[tuple[str, dict[str, Any]]] = []
    found = []
    for experiment in experiments:
        for scheme, report in experiment.reports.items():
            if report["synthetic_images"] or (scheme, report) not in seen:
                found.append((experiment, scheme, report))
                seen.append((scheme, report))
    return found


def differing(experiment: Experiment, first: Experiment) -> str:
    """Params in which an experiment differs from the first, but for gan.variant."""
    both = experiment.params.keys() | first.params.keys()
    keys = sorted(key for key in both if experiment.params.get(key) != first.params.get(key))
    others = [key for key in keys if key != "gan.variant"]
    if not others:
        return ""
    rest = [f"{len(others) - LISTED} more"] if len(others) > LISTED else []
    return enumerate_names([*others[:LISTED], *rest])


def numbers(experiments: Sequence[Experiment]) -> pd.DataFrame:
    """A row for each of the table's: every number of the report."""
    return pd.DataFrame(
        {"experiment": experiment.name, "variant": experiment.params["gan.variant"], "scheme": scheme}
        | {key: value for key, value in report.items() if not isinstance(value, list)}
        for experiment, scheme, report in rows(experiments)
    )


if __name__ == "__main__":
    main()
