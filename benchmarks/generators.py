"""Trains a list of generators one after another and prints a table; what was trained before is not trained again.

python -m benchmarks.generators LIST.yaml [--class malignant] [--seeds 0 1 2] [--jobs 1] [--unseen test | DIR]
    [--against NAME] [-S gan.train.kimg=100 ...] [--only NAME ...] [--out .benchmarks]

LIST.yaml maps names to overrides of params.yaml, as ``-S`` gives them, one list each, of the sections that make
generators: gan, synthesize, score, compute. Run it in a project whose data are prepared (``dvc repro train_features``);
nothing of the project is changed. Each run has a folder under --out, with the stages' own files: logs, sample grid,
scores. Its name ends in digits of a hash of params, data and code: with others it is trained again, as is a run that
was interrupted.

KID and the sliced Wasserstein distance are to images that no generator saw: the class's test images, or with --unseen
those of another project folder with the same size (such as a phantom rendered with another seed). Coverage, recall and
copies are those of ``score_synthetic``, to the training images.
"""

import argparse
import hashlib
import json
import math
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np
import torch
import yaml
from numpy.typing import NDArray
from ruamel.yaml.error import YAMLError
from scipy import stats

from pipeline.errors import InputError
from pipeline.feature_space import FeatureSpace
from pipeline.images import at_size, open_images, rows_of
from pipeline.metrics.distribution import kid
from pipeline.metrics.sliced_wasserstein import sliced_wasserstein
from pipeline.params.classes import TARGETS, ClassName
from pipeline.params.document import mistakes
from pipeline.params.reader import parse, read_tree
from pipeline.resume import CODE as TRAINING_CODE
from pipeline.store import read_csv, read_json, sha256_of_file, write_json

ROOT = Path(__file__).parent.parent
DATA = ("images", "splits.csv", "conditions.csv", "features")
CONTENT = ("images/images.npy", "splits.csv", "conditions.csv", "features/model.safetensors")
MASKS = "images/masks.npy"  # where the project has any
STAGES = ("train_gan", "synthesize", "score_synthetic")
SECTIONS = ("gan", "synthesize", "score", "compute")  # the others' stages are not run
CODE = (
    *TRAINING_CODE,
    "pipeline/generator_data.py",
    "pipeline/images.py",
    "pipeline/metrics/*.py",
    "pipeline/score_synthetic.py",
    "pipeline/synthesize.py",
    "pipeline/trained_generator.py",
)


class Task(NamedTuple):
    """One training: a name of the list and a seed, with the whole of its params."""

    name: str
    seed: int
    params: Mapping[str, Any]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("list", type=Path)
    parser.add_argument("--class", dest="class_name", choices=sorted(TARGETS), default="malignant")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--jobs", type=int, default=1, help="trainings at once, of compute.threads each")
    parser.add_argument("--unseen", default="test", help="test, or the folder of another project")
    parser.add_argument("--against", help="the name to which the others' mean KID is compared")
    parser.add_argument("-S", dest="overrides", action="append", default=[], metavar="KEY=VALUE", help="for all")
    parser.add_argument("--only", nargs="+", help="of the list")
    parser.add_argument("--out", type=Path, default=Path(".benchmarks"))
    given = parser.parse_args()
    try:
        entries = chosen_entries(given.list, given.only)
        if given.against and given.against not in entries:
            raise InputError(f"--against {given.against} is not in the list; it has {', '.join(entries)}")
        params = read_tree()
        tasks = [
            Task(name, seed, overridden(params, [*given.overrides, *settings]))
            for name, settings in entries.items()
            for seed in given.seeds
        ]
        unseen = {
            size: unseen_images(given.unseen, given.class_name, size)
            for size in {task.params["gan"]["image_size"] for task in tasks}
        }
        content = hash_of_data_and_code()
        pool = ThreadPoolExecutor(given.jobs)
        try:
            rows = list(pool.map(lambda task: measured(task, given, content, unseen), tasks))
        finally:
            pool.shutdown(cancel_futures=True)
    except (InputError, OSError) as error:
        sys.exit(f"generators: {error}")
    print(table(tasks, rows))
    if given.against:
        print()
        print(ratios(tasks, rows, given.against))


def chosen_entries(path: Path, only: Sequence[str] | None) -> dict[str, list[str]]:
    """The list's names and overrides. Raises InputError if it is none, or lacks a name."""
    entries = read_tree(path)
    for name, settings in entries.items():
        if not isinstance(settings, list) or not all(isinstance(each, str) and "=" in each for each in settings):
            raise InputError(f"{path}: {name} must be a list of KEY=VALUE, got {settings!r}")
    absent = sorted(set(only or []) - set(entries))
    if absent:
        raise InputError(f"{path} has no {absent[0]}; it has {', '.join(entries)}")
    return {name: settings for name, settings in entries.items() if not only or name in only}


def overridden(params: Mapping[str, Any], overrides: Sequence[str]) -> dict[str, Any]:
    """A copy of the params with dotted keys set; values are YAML.

    Raises:
        InputError: if a key is not there or plays no part, or the result is no valid params.yaml.
    """
    changed: dict[str, Any] = json.loads(json.dumps(params))
    for override in overrides:
        key, _, value = override.partition("=")
        *path, last = key.split(".")
        section = changed
        for part in path:
            section = section.get(part, {}) if isinstance(section, dict) else {}
        if not isinstance(section, dict) or last not in section:
            raise InputError(f"{key} is no key of params.yaml")
        if key.split(".")[0] not in SECTIONS:
            raise InputError(f"{key} is read by no stage that is run here; change it in params.yaml and run dvc repro")
        try:
            section[last] = parse(value)
        except YAMLError:
            raise InputError(f"{override} is no YAML value; quote it") from None
    wrong = mistakes(changed)
    if wrong:
        raise InputError(f"with {' '.join(overrides)}: {wrong[0]}")
    return changed


def unseen_images(where: str, class_name: ClassName, size: int) -> NDArray[np.uint8]:
    """Images of the class that no generator sees, (N, size, size, C)."""
    if where == "test":
        rows = rows_of(read_csv(Path("data/splits.csv")), "test", TARGETS[class_name])
        return at_size(open_images(Path("data/images"))[rows], size)
    data = Path(where) / "data"
    reduced = read_csv(data / "reduced.csv").set_index("image_id")["target"]
    manifest = read_csv(data / "images/manifest.csv")
    of_class = manifest["image_id"].map(reduced).to_numpy() == TARGETS[class_name]
    return at_size(open_images(data / "images")[manifest["row"].to_numpy()[of_class]], size)


def hash_of_data_and_code() -> str:
    files = [Path("data", name) for name in CONTENT]
    files += [path for path in [Path("data", MASKS)] if path.is_file()]
    files += sorted(path for pattern in CODE for path in ROOT.glob(pattern))
    return hashlib.sha256("".join(sha256_of_file(path) for path in files).encode()).hexdigest()


def measured(
    task: Task, given: argparse.Namespace, content: str, unseen: Mapping[int, NDArray[np.uint8]]
) -> dict[str, Any]:
    """Runs the three stages in a folder of their own, if they have not been run there, and reads what they wrote.

    Args:
        content: hash of what the project holds besides params.
        unseen: by image size.
    """
    key = hashlib.sha256(json.dumps([task.params, given.class_name, task.seed, content], sort_keys=True).encode())
    folder = given.out / f"{task.name}-{task.seed}-{key.hexdigest()[:8]}"
    result = folder / "result.json"
    if not result.is_file():
        shutil.rmtree(folder, ignore_errors=True)  # a run that goes on where it was interrupted would look too fast
        write_json(result, run(task, given.class_name, folder))
    if "failed" in read_json(result):
        return {"failed": 1}
    class_name, images = given.class_name, unseen[task.params["gan"]["image_size"]]
    synthetic = np.array(open_images(folder / "data/synthetic" / class_name / str(task.seed)))
    space = FeatureSpace(Path("data/features"), torch.device("cpu"))
    distance = kid(space.features(images), space.features(synthetic))
    return {
        **read_json(folder / "reports/generators" / f"{class_name}_{task.seed}.json"),
        **read_json(result),
        "kid": distance.value,
        "kid_std": distance.standard_error,
        "sliced_wasserstein": sliced_wasserstein(images, synthetic, np.random.default_rng(0)),
    }


def run(task: Task, class_name: str, folder: Path) -> dict[str, float]:
    """Trains, draws and scores; how fast, and in how much memory.

    Raises:
        InputError: if a stage dies of anything but what it refuses, as a collapse, in one line.
    """
    (folder / "data").mkdir(parents=True)
    for name in DATA:
        (folder / "data" / name).symlink_to(Path("data", name).resolve())
    (folder / "params.yaml").write_text(yaml.safe_dump(dict(task.params)))
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    seconds, memory = 0.0, 0
    for stage in STAGES:
        print(f"{task.name} {task.seed}: {stage}", file=sys.stderr, flush=True)
        command = [sys.executable, "-m", f"pipeline.{stage}", "--class", class_name, "--seed", str(task.seed)]
        began = perf_counter()
        with (folder / f"{stage}.log").open("w") as log:
            process = subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=subprocess.STDOUT)
            _, status, usage = os.wait4(process.pid, 0)  # subprocess would not say how much memory it took
            process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            last = ["", *(folder / f"{stage}.log").read_text().strip().splitlines()][-1]
            line = f"{task.name} {task.seed}: {last}; see {folder}/{stage}.log"
            if process.returncode != 1 or not last.startswith(f"{stage}@"):
                raise InputError(line)  # out of memory, say: no property of the generator
            print(line, file=sys.stderr, flush=True)
            return {"failed": 1}
        if stage == "train_gan":
            seconds, memory = perf_counter() - began, usage.ru_maxrss
    shown = task.params["gan"]["train"]["kimg"] * 1000
    return {"seconds": seconds, "images_per_second": shown / seconds, "memory_gb": memory / 1e6}


def grouped(tasks: Sequence[Task], rows: Sequence[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """The rows of each name; of runs that failed, as by a collapse, none."""
    names: dict[str, list[dict[str, Any]]] = {task.name: [] for task in tasks}
    for task, row in zip(tasks, rows, strict=True):
        names[task.name] += [] if "failed" in row else [row]
    return names


def table(tasks: Sequence[Task], rows: Sequence[dict[str, Any]]) -> str:
    """A line per name: means over the seeds; of KID each seed's value with the standard error of one run."""
    lines = [
        "| generator | KID, mean | of each seed | sliced Wasserstein | recall | coverage | copies | parameters, M | "
        "memory, GB | images/s | minutes |",
        "| --- " * 11 + "|",
    ]
    for name, runs in grouped(tasks, rows).items():
        failed = sum(task.name == name for task in tasks) - len(runs)
        if not runs:
            lines.append(f"| {name} | all {failed} failed |" + " |" * 9)
            continue

        def mean(key: str, runs: list[dict[str, Any]] = runs) -> float:
            return float(np.mean([row[key] for row in runs]))

        each = ", ".join(f"{row['kid']:.3f} ± {row['kid_std']:.3f}" for row in runs)
        each += f", {failed} failed" if failed else ""
        lines.append(
            f"| {name} | {mean('kid'):.3f} | {each} | {mean('sliced_wasserstein'):.3f} | {mean('recall'):.2f} | "
            f"{mean('coverage'):.2f} | {sum(row['copies_found'] for row in runs)} | {mean('parameters') / 1e6:.2f} | "
            f"{mean('memory_gb'):.1f} | {mean('images_per_second'):.0f} | {mean('seconds') / 60:.1f} |"
        )
    return "\n".join(lines)


def ratios(tasks: Sequence[Task], rows: Sequence[dict[str, Any]], against: str) -> str:
    """Each name's KID and sliced Wasserstein distance as a share of one name's, with 95 % intervals over seeds."""
    names = grouped(tasks, rows)
    lines = [f"| generator | KID / {against} | sliced Wasserstein / {against} |", "| --- | --- | --- |"]
    for name, runs in names.items():
        if name != against:
            cells = [
                ratio([row[key] for row in runs], [row[key] for row in names[against]])
                for key in ("kid", "sliced_wasserstein")
            ]
            lines.append(f"| {name} | {cells[0]} | {cells[1]} |")
    return "\n".join(lines)


def ratio(values: Sequence[float], others: Sequence[float]) -> str:
    """Of geometric means, with Welch's interval of the difference of logarithms; none for one seed or a KID <= 0."""
    if not values or not others or min(*values, *others) <= 0:
        return "none"
    logs = [np.log(values), np.log(others)]
    middle = float(logs[0].mean() - logs[1].mean())
    if min(len(values), len(others)) < 2:
        return f"{math.exp(middle):.2f}"
    interval = stats.ttest_ind(*logs, equal_var=False).confidence_interval()
    return f"{math.exp(middle):.2f} ({math.exp(interval.low):.2f} to {math.exp(interval.high):.2f})"


if __name__ == "__main__":
    main()
