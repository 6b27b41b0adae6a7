"""The whole graph by `dvc repro` on recipes/smoke.yaml, in a fresh clone; then what a user does next."""

import json
import shutil
import signal
import subprocess
import sys
import time
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from pipeline.params.generators import SETTINGS
from pipeline.params.reader import read_tree
from tests.clones import clone_project, draw_renders, lock_of_one_core, run
from tests.test_folder import write_folder

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files that Git has or would add, committed afresh, with the smoke recipe run to its end."""
    folder = tmp_path_factory.mktemp("clone")
    clone_project(folder)
    shutil.copy2(folder / "recipes/smoke.yaml", folder / "params.yaml")
    (folder / "repro.log").write_text(run("dvc", "repro", cwd=folder))
    run("git", "add", "--all", cwd=folder)
    run("git", "commit", "--quiet", "--message", "smoke", cwd=folder)
    return folder


def test_the_report_opens_with_a_verdict(clone: Path) -> None:
    html = (clone / "reports/report.html").read_text()
    assert "no detectable effect" in html or "helps" in html or "harms" in html
    assert "data:image/svg+xml" in html
    assert "data:image/png" in html


def test_every_scheme_has_its_metrics(clone: Path) -> None:
    table = {path.stem: json.loads(path.read_text()) for path in (clone / "reports/auc").glob("*.json")}
    assert set(table) == {"baseline", "classic", "oversample", "gan_balanced", "gan_plus_10"}
    keys = {"auc", "auc_ci_low", "auc_ci_high", "auc_gain", "auc_gain_over_placebo", "verdict"}
    assert all(set(row) == keys for row in table.values())
    shown = run("dvc", "metrics", "show", cwd=clone)
    assert all(f"reports/auc/{scheme}.json" in shown for scheme in table)
    assert len(shown.splitlines()) == 1 + len(table)


def test_stages_log_their_time(clone: Path) -> None:
    log = (clone / "repro.log").read_text()
    assert "train_gan@malignant-0: done in " in log
    assert set(pd.read_csv(clone / "logs/stages.csv")["stage"].str.split("@").str[0]) == {
        *(
            "check_params",
            "phantom",
            "read_source",
            "ingest",
            "reduce",
            "prepare",
            "split",
            "train_features",
            "train_gan",
        ),
        *("synthesize", "score_synthetic", "train_classifier", "train_classifier_gan", "evaluate", "report"),
        *("subgroups", "control_metadata", "control_view", "control_synthetic", "train_artefacts", "find_artefacts"),
        *("data_card", "phantom_external", "external", "manifest"),
    }


def test_no_group_spans_two_splits(clone: Path) -> None:
    """Checked against the phantom's own truth, patients and byte-equal files, not against the split's groups."""
    splits = pd.read_csv(clone / "data/splits.csv").merge(
        pd.read_csv(clone / "data/metadata.csv")[["image_id", "patient_id", "lesion_id", "sha256"]], on="image_id"
    )
    assert len(splits) > 300
    for column in ("patient_id", "lesion_id", "sha256", "group_id"):
        assert splits.groupby(column)["split"].nunique().max() == 1, column
    assert splits["sha256"].duplicated().any()  # the planted duplicates are in


def test_synthetic_images_come_near_training_images_only(clone: Path) -> None:
    splits = pd.read_csv(clone / "data/splits.csv").set_index("image_id")
    for class_name in ("benign", "malignant"):
        nearest = pd.read_csv(clone / f"data/synthetic/{class_name}/0/manifest.csv")["nearest_image_id"]
        assert set(splits.loc[nearest, "split"]) == {"train"}


def test_nothing_runs_twice_and_git_is_clean(clone: Path) -> None:
    assert "Data and pipelines are up to date." in run("dvc", "repro", cwd=clone)
    assert run("git", "status", "--porcelain", cwd=clone) == ""


def executed(log: str) -> set[str]:
    """The stages that ran, without those restored from the run cache."""
    lines = log.splitlines()
    return {
        line.split("'")[1]
        for line, following in pairwise(lines)
        if line.startswith("Running stage") and following.startswith(">")
    }


def test_rows_and_pixels_follow_every_change_of_their_size_and_back(clone: Path) -> None:
    """Up, down and back: none is taken for another by the run cache, and what has been is not computed again."""
    given = (clone / "params.yaml").read_text()
    whole = len(pd.read_csv(clone / "data/reduced.csv"))

    def repro(rows: int, pixels: int) -> set[str]:
        text = given.replace("\n  size: 5000\n", f"\n  size: {rows}\n").replace("\n  size: 32 ", f"\n  size: {pixels} ")
        (clone / "params.yaml").write_text(text)
        ran = executed(run("dvc", "repro", "prepare", cwd=clone))
        assert len(pd.read_csv(clone / "data/reduced.csv")) == min(rows, whole)
        assert np.load(clone / "data/images/images.npy").shape[1:] == (pixels, pixels, 3)
        return ran

    assert repro(100, 32) == {"check_params", "reduce", "prepare"}
    assert repro(200, 32) == {"check_params", "reduce", "prepare"}
    assert repro(200, 40) == {"check_params", "prepare"}
    assert repro(100, 32) <= {"check_params"}
    assert repro(5000, 32) <= {"check_params"}
    assert executed(run("dvc", "repro", cwd=clone)) <= {"check_params", "report"}
    assert run("git", "status", "--porcelain", cwd=clone) == ""


def test_swapping_the_generator_retrains_generators_and_their_schemes_only(clone: Path) -> None:
    ran = executed(run("dvc", "exp", "run", "-S", "gan.variant=sngan", cwd=clone))
    assert ran == {
        "check_params",
        *(
            f"{stage}@{item}-0"
            for stage in ("train_gan", "synthesize", "score_synthetic")
            for item in ("benign", "malignant")
        ),
        "train_classifier_gan@gan_balanced-0",
        "train_classifier_gan@gan_plus_10-0",
        "control_synthetic@malignant-0",
        "find_artefacts",
        "data_card",
        "external@dark_skin",
        "evaluate",
        "subgroups",
        "report",
    }
    changed = run("dvc", "metrics", "diff", cwd=clone)
    assert "reports/auc/gan_balanced.json" in changed
    assert "reports/auc/baseline.json" not in changed
    back = executed(run("dvc", "exp", "run", "-S", "gan.variant=dcgan", cwd=clone))
    assert back <= {"check_params", "report"}
    assert run("git", "diff", "--stat", "--", "reports", cwd=clone) == ""


def test_a_generator_killed_in_mid_training_ends_in_the_same_bytes(clone: Path) -> None:
    output = clone / "data/checkpoints/gan/malignant/0/model.safetensors"
    curve = clone / "reports/plots/gan_malignant_0.csv"
    whole = output.read_bytes(), curve.read_bytes()
    output.unlink()
    command = [sys.executable, "-m", "pipeline.train_gan", "--class", "malignant", "--seed", "0"]
    with subprocess.Popen(command, cwd=clone, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as training:
        while not list(clone.glob(".checkpoints/*/state.pt")) and training.poll() is None:
            time.sleep(0.01)
        training.kill()
    assert training.returncode == -signal.SIGKILL
    assert not output.exists()
    assert "resumed at 1.024 kimg" in run(*command, cwd=clone)
    assert (output.read_bytes(), curve.read_bytes()) == whole


@pytest.mark.parametrize(
    ("key", "value", "sentence"),
    [
        ("gan.variant", "stylegan", "gan.variant is 'stylegan'; known variants: acgan, autoencoder"),
        (
            "source.phantom.metadata",
            "data/raw/nowhere",
            "source.phantom.metadata is data/raw/nowhere, which does not exist; copy or link",
        ),
        ("phantom.malignant", 2.0, "phantom.malignant should be less than 1, got 2.0"),
    ],
)
def test_a_wrong_value_is_one_sentence_and_no_traceback(clone: Path, key: str, value: str, sentence: str) -> None:
    params = (clone / "params.yaml").read_text()
    *sections, name = key.split(".")
    indent = "  " * len(sections)
    lines = [
        f"{indent}{name}: {value}" if line.startswith(f"{indent}{name}:") else line for line in params.splitlines()
    ]
    (clone / "params.yaml").write_text("\n".join(lines) + "\n")
    try:
        log = run("dvc", "repro", cwd=clone, check=False)
    finally:
        (clone / "params.yaml").write_text(params)
    assert f"\n  {sentence}" in log
    assert "python -m pipeline.check_params, exited with 1" in log
    assert "Traceback" not in log


def change_one_pixel(path: Path) -> None:
    with Image.open(path) as image:
        changed = image.convert("RGB")
    red, green, blue = changed.getpixel((20, 20))
    changed.putpixel((20, 20), ((red + 128) % 256, green, blue))
    changed.save(path, "PNG")  # whatever its name says; a JPEG would lose the pixel


def readable_image(clone: Path) -> str:
    return str(pd.read_csv(clone / "data/images/manifest.csv")["image_id"][7])


def test_a_changed_pixel_of_the_phantom_is_put_right(clone: Path) -> None:
    path = clone / f"data/raw/phantom/images/{readable_image(clone)}.jpg"
    content = path.read_bytes()
    change_one_pixel(path)
    ran = executed(run("dvc", "repro", cwd=clone))
    assert path.read_bytes() == content
    assert ran <= {"phantom"}
    assert "Data and pipelines are up to date." in run("dvc", "repro", cwd=clone)


def test_a_changed_pixel_of_a_users_folder_reaches_all_that_depends_on_it(clone: Path) -> None:
    """The folder holds the phantom's images, its records no hash, so that DVC knows nothing of a changed file."""
    shutil.copytree(clone / "data/raw/phantom", clone / "data/raw/isic")
    for path in (clone / "data/raw/isic/descriptions").iterdir():
        path.write_text(json.dumps(json.loads(path.read_text()) | {"sha256": None}))
    params = (clone / "params.yaml").read_text()
    (clone / "params.yaml").write_text(params.replace("data/raw/phantom/", "data/raw/isic/"))
    packed = clone / "data/images/images.npy"
    before = np.load(packed)
    untouched = executed(run("dvc", "repro", cwd=clone))
    assert untouched == {
        *("check_params", "read_source@phantom", "ingest", "reduce", "prepare", "split", "report"),
        *("subgroups", "control_metadata", "data_card", "manifest"),  # these read the metadata
    }
    assert (np.load(packed) == before).all()

    image_id = readable_image(clone)
    change_one_pixel(clone / f"data/raw/isic/images/{image_id}.jpg")
    assert "Data and pipelines are up to date." in run("dvc", "repro", cwd=clone)  # what the README warns of
    assert executed(run("dvc", "repro", "--single-item", "--force", "prepare", cwd=clone)) == {"prepare"}
    row = int(pd.read_csv(clone / "data/images/manifest.csv").set_index("image_id").loc[image_id, "row"])
    assert set(np.flatnonzero((np.load(packed) != before).any(axis=(1, 2, 3)))) == {row}
    stale = {stage.split("@")[0] for stage in json.loads(run("dvc", "status", "--json", cwd=clone))}
    assert stale >= {"split", "train_features", "train_gan", "synthesize", "score_synthetic", "report"}
    assert stale >= {"train_classifier", "train_classifier_gan"}


# Long proofs: they take minutes, and change the clone, so they stand last.


@pytest.mark.proof
@pytest.mark.parametrize("name", [name for name, settings in SETTINGS.items() if not settings.FOLDERS])
def test_every_variant_runs_to_the_report_with_nothing_else_changed(clone: Path, name: str) -> None:
    began = time.monotonic()
    run("dvc", "exp", "run", "-S", f"gan.variant={name}", cwd=clone)
    assert time.monotonic() - began < 150
    for class_name in ("benign", "malignant"):
        assert json.loads((clone / f"reports/generators/{class_name}_0.json").read_text())["variant"] == name
    assert name in (clone / "reports/report.html").read_text()


@pytest.mark.proof
def test_a_queue_runs_two_variants_at_once_and_they_stand_in_one_table(clone: Path) -> None:
    """As docs/scaling.md says."""
    run("dvc", "exp", "run", "--queue", "-S", "gan.variant=sngan,wgan_gp", cwd=clone)
    run("dvc", "queue", "start", "-j", "2", cwd=clone)
    at_once, status = 0, ""
    while status.count("Success") + status.count("Failed") < 2:
        time.sleep(1)
        status = run("dvc", "queue", "status", cwd=clone)
        at_once = max(at_once, status.count("Running"))
    assert (at_once, status.count("Success")) == (2, 2)
    compared = run(sys.executable, "-m", "pipeline.compare", cwd=clone)
    assert "sngan" in compared
    assert "wgan_gp" in compared


@pytest.mark.proof
def test_one_core_ends_in_the_lock_of_all(clone: Path) -> None:
    assert lock_of_one_core(clone, "dvc.yaml") == run("git", "show", "HEAD:dvc.lock", cwd=clone)


@pytest.fixture(scope="module")
def fresh_renders(clone: Path) -> dict[str, np.ndarray]:
    return draw_renders(clone.parent / "fresh", read_tree(clone / "recipes/smoke.yaml"), 1000, images=1600)


def put_to_the_verdict(clone: Path, images: dict[str, np.ndarray], monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.chdir(clone)
    folders = [f"gan.variants.folder.{name}={write_folder(each, name)}" for name, each in images.items()]
    changed = [option for override in ("gan.variant=folder", *folders) for option in ("-S", override)]
    return run("dvc", "exp", "run", *changed, cwd=clone, check=False)


@pytest.mark.proof
def test_fresh_renders_do_no_harm(clone: Path, fresh_renders: dict[str, np.ndarray], monkeypatch) -> None:
    put_to_the_verdict(clone, fresh_renders, monkeypatch)
    for scheme in ("gan_balanced", "gan_plus_10"):
        verdict = json.loads((clone / f"reports/auc/{scheme}.json").read_text())["verdict"]
        assert verdict in ("helps", "no detectable effect")
    assert json.loads((clone / "reports/generators/malignant_0.json").read_text())["variant"] == "folder"


@pytest.mark.proof
def test_copies_of_training_images_are_stopped(clone: Path, fresh_renders: dict[str, np.ndarray], monkeypatch) -> None:
    splits = pd.read_csv(clone / "data/splits.csv").query("split == 'train' and target == 1")
    packed = np.load(clone / "data/images/images.npy")
    copies = np.resize(packed[splits["row"]][:, :, ::-1], (300, *packed.shape[1:]))  # mirrored
    log = put_to_the_verdict(clone, {"malignant": copies, "benign": fresh_renders["benign"][:-1]}, monkeypatch)
    assert "images drawn only" in log
    assert "stay below synthesize.copy_likeness" in log
