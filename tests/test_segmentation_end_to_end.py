"""The segmentation graph by `dvc repro segmentation/dvc.yaml`, in a fresh clone and small."""

import json
from pathlib import Path

import pandas as pd
import pytest
import yaml

from pipeline.params.reader import read_tree
from segmentation.params import PARAMS
from tests.clones import clone_project, lock_of_one_core, run
from tests.test_end_to_end import executed

pytestmark = pytest.mark.slow
GRAPH = "segmentation/dvc.yaml"


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The whole graph on few and small pictures, every stage of it, committed."""
    folder = tmp_path_factory.mktemp("segmentation")
    clone_project(folder)
    params = read_tree(folder / PARAMS)
    params["phantom"] |= {"images": 90, "shorter_side": 40}
    params["image"]["size"] = 32
    params["compute"]["threads"] = 1  # the suite has a process for each core
    params["train"] |= {"steps": 20, "batch_size": 8, "evaluate_steps": 10}
    params["architectures"] = {"unet": {"features": 4}, "unet_residual": {"features": 4}}
    params["translator"] |= {"kimg": 0.1, "log_kimg": 0.05, "generator_features": 4, "discriminator_features": 4}
    params["synthesize"] |= {"count": 60, "copy_likeness": 1.0}
    params["schemes"] |= {"seeds": [0, 1]}
    (folder / PARAMS).write_text(yaml.safe_dump(params))
    (folder / "repro.log").write_text(run("dvc", "repro", GRAPH, cwd=folder))
    run("git", "add", "--all", cwd=folder)
    run("git", "commit", "--quiet", "--message", "small", cwd=folder)
    return folder


def test_the_page_opens_with_a_verdict(clone: Path) -> None:
    page = (clone / "reports/segmentation/report.html").read_text()
    assert "synthetic pairs" in page.lower()
    found = json.loads((clone / "reports/segmentation/schemes/synthetic.json").read_text())
    assert f"<td>{found['verdict']}</td>" in page


def test_no_patient_and_no_file_spans_two_splits(clone: Path) -> None:
    """By the phantom's own truth, not by the split's groups."""
    splits = pd.read_csv(clone / "data/segmentation/splits.csv")
    truth = pd.read_csv(clone / "data/segmentation/raw/phantom/truth.csv")
    truth["image_id"] = "images/" + truth["file"]
    merged = splits[["image_id", "split"]].merge(truth, on="image_id")
    assert len(merged) == len(splits) > 80
    assert merged.groupby("patient_id")["split"].nunique().max() == 1


def test_nothing_runs_twice_git_is_clean_and_the_main_graph_s_metrics_are_its_own(clone: Path) -> None:
    assert "Data and pipelines are up to date." in run("dvc", "repro", GRAPH, cwd=clone)
    assert run("git", "status", "--porcelain", cwd=clone) == ""
    assert "segmentation" not in run("dvc", "metrics", "show", cwd=clone)
    shown = run("dvc", "metrics", "show", "reports/segmentation/dice", cwd=clone)
    assert all(name in shown for name in ("unet-dice_bce", "unet_residual-dice_bce", "test_dice"))


def test_another_loss_of_the_schemes_trains_these_alone(clone: Path) -> None:
    params = read_tree(clone / PARAMS)
    params["schemes"]["loss"] = "dice"
    (clone / PARAMS).write_text(yaml.safe_dump(params))
    ran = {stage.split(":")[1].split("@")[0] for stage in executed(run("dvc", "repro", GRAPH, cwd=clone))}
    assert ran == {"check_params", "train_scheme", "train_scheme_synthetic", "evaluate", "report"}


@pytest.mark.proof
def test_one_core_ends_in_the_lock_of_all(clone: Path) -> None:
    assert lock_of_one_core(clone, GRAPH) == run("git", "show", "HEAD:segmentation/dvc.lock", cwd=clone)
