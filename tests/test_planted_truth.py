"""The verdict where the truth is planted, end to end: `dvc repro evaluate` on four archives, three plantings each.

An archive with few training images gains by more of them, and a generator's place is taken by a folder:

- help: photographs of other patients, as a perfect generator would draw them;
- nothing: the training images again, which is what every scheme shows anyway (the gate for copies is opened);
- harm: photographs of other patients under the wrong class.
"""

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml

from pipeline.params.classes import TARGETS
from tests.clones import clone_project, draw_renders, run
from tests.test_folder import write_folder

ARCHIVES = (1, 2, 3, 4)
IMAGES, TRAIN = 2400, 0.01  # of an archive, and their share to train on: 18 benign and 6 malignant or so
MORE = 32.0  # synthetic images for each real one
SEEDS, STEPS = 8, 240  # of the classifiers: enough that the planted gain is above the detectable one
SHOWN = ("auc", "auc_gain_over_classic", "auc_gain_over_placebo", "detectable_gain", "verdict")
RIGHT = {"help": "helps", "nothing": "no detectable effect", "harm": "harms"}


def planted(params: dict[str, Any], archive: int) -> dict[str, Any]:
    """The parameters of one archive."""
    params = deepcopy(params)
    params["seed"] = archive
    params["phantom"] |= {"images": IMAGES}
    params["split"] |= {"train": TRAIN, "val": 0.15, "test": 0.84}
    params["synthesize"] |= {"copy_likeness": 1.0}
    classifier = params["classifier"]
    classifier["seeds"] = list(range(SEEDS))
    classifier["train"] |= {"steps": STEPS, "evaluate_steps": STEPS // 4}
    classifier["test_time_augmentation"] = "none"
    classifier["gan_schemes"] = {"planted": classifier["gan_schemes"]["gan_plus_10"] | {"synthetic": MORE}}
    return params


def training_images(clone: Path) -> dict[str, np.ndarray]:
    splits = pd.read_csv(clone / "data/splits.csv").query("split == 'train'")
    packed = np.load(clone / "data/images/images.npy")
    return {name: packed[splits["row"][splits["target"] == target]] for name, target in TARGETS.items()}


def shown_again(images: np.ndarray, count: int) -> np.ndarray:
    """Off by two grey values at the most: an exact copy would not pass even the open gate."""
    noise = np.random.default_rng(0).integers(-2, 3, (count, *images.shape[1:]))
    return np.clip(np.resize(images, noise.shape) + noise, 0, 255).astype(np.uint8)


def judged(clone: Path, params: dict[str, Any], images: dict[str, np.ndarray]) -> dict[str, Any]:
    """What is reported of the scheme that is shown these images as a generator's."""
    params["gan"]["variant"] = "folder"
    params["gan"]["variants"]["folder"] |= {name: str(write_folder(each, name)) for name, each in images.items()}
    (clone / "params.yaml").write_text(yaml.safe_dump(params))
    run("dvc", "repro", "evaluate", cwd=clone)
    return dict(json.loads((clone / "reports/classifier/planted.json").read_text()))


@pytest.mark.proof
def test_the_verdict_is_right_where_the_truth_is_planted(tmp_path, monkeypatch, smoke_params) -> None:
    reports: dict[str, list[dict[str, Any]]] = {truth: [] for truth in RIGHT}
    for archive in ARCHIVES:
        clone = tmp_path / str(archive)
        clone_project(clone)
        monkeypatch.chdir(clone)
        params = planted(smoke_params, archive)
        Path("params.yaml").write_text(yaml.safe_dump(params))
        run("dvc", "repro", "split", cwd=clone)
        real = training_images(clone)
        params["synthesize"]["count"] = count = round(MORE * max(map(len, real.values())))
        others = draw_renders(tmp_path / f"others_{archive}", params, 1000 + archive, images=1600, malignant=0.5)
        plantings = {
            "help": {name: others[name][:count] for name in real},
            "nothing": {name: shown_again(real[name], count) for name in real},
            "harm": {"benign": others["malignant"][:count], "malignant": others["benign"][:count]},
        }
        for truth, images in plantings.items():
            reports[truth].append(judged(clone, params, images))
            print(archive, truth, {key: reports[truth][-1][key] for key in SHOWN})
    verdicts = {truth: [report["verdict"] for report in each] for truth, each in reports.items()}
    assert "harms" not in verdicts["help"]
    assert "helps" not in verdicts["harm"]
    assert "helps" not in verdicts["nothing"]
    assert sum(verdict == RIGHT[truth] for truth, each in verdicts.items() for verdict in each) >= 10
    for truth in ("help", "harm"):  # else a failure to find them would prove nothing
        size = [abs(report["auc_gain_over_classic"]) - report["detectable_gain"] for report in reports[truth]]
        assert np.mean(size) > 0
