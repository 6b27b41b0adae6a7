import hashlib
import json
import sys
from io import BytesIO
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from PIL import Image

from pipeline import phantom
from pipeline.dermoscopy.cohort import FaultRates, draw_cohort
from pipeline.dermoscopy.traits import best_auc

SETTINGS = {"images": 40, "size": 32, "malignant": 0.25, "duplicates": 0.1, "unreadable": 0.15, "unlabelled": 0.05}


def run(directory: Path, monkeypatch: pytest.MonkeyPatch, seed: int = 0, **changes: float) -> Path:
    directory.mkdir(exist_ok=True)
    params = {"seed": seed, "phantom": {**SETTINGS, **changes}}
    (directory / "params.yaml").write_text(yaml.safe_dump(params))
    monkeypatch.chdir(directory)
    phantom.main()
    return directory / phantom.PHANTOM


def contents(directory: Path) -> dict[str, bytes]:
    files = sorted(path for path in directory.rglob("*") if path.is_file())
    return {str(path.relative_to(directory)): path.read_bytes() for path in files}


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    with pytest.MonkeyPatch.context() as monkeypatch:
        return run(tmp_path_factory.mktemp("archive"), monkeypatch)


@pytest.fixture
def truth(archive: Path) -> pd.DataFrame:
    return pd.read_csv(archive / "truth.csv", keep_default_na=False)


def description(archive: Path, image_id: str) -> dict:
    return json.loads((archive / "descriptions" / f"{image_id}.json").read_text())


def test_a_second_run_is_byte_identical(archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert contents(run(tmp_path / "again", monkeypatch)) == contents(archive)


def test_another_seed_gives_other_images(archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other, first = contents(run(tmp_path / "other", monkeypatch, seed=1)), contents(archive)
    assert other.keys() == first.keys()
    assert other["images/PHANTOM_0000004.jpg"] != first["images/PHANTOM_0000004.jpg"]


def test_files_do_not_depend_on_the_number_of_workers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(phantom, "IMAGES_PER_WORKER", 5)
    records = draw_cohort(12, 0.25, FaultRates(0.1, 0.1, 0.1), 0)
    for workers in (1, 2):
        for name in ("images", "descriptions", "masks"):
            (tmp_path / str(workers) / name).mkdir(parents=True)
        phantom.write_photographs(tmp_path / str(workers), records, 32, 0, workers)
    assert contents(tmp_path / "1") == contents(tmp_path / "2")
    assert len(contents(tmp_path / "1")) == 36


def test_every_image_has_a_record_a_mask_and_a_row(archive: Path, truth: pd.DataFrame) -> None:
    names = [f"PHANTOM_{number:07d}" for number in range(1, 41)]
    assert list(truth["image_id"]) == names
    assert sorted(path.name for path in (archive / "images").iterdir()) == [f"{name}.jpg" for name in names]
    assert sorted(path.stem for path in (archive / "descriptions").iterdir()) == names
    assert sorted(path.stem for path in (archive / "masks").iterdir()) == [f"{name}_segmentation" for name in names]


def test_faults_come_at_their_rates(archive: Path, truth: pd.DataFrame) -> None:
    counts = {"duplicate": 4, "unreadable": 6, "unlabelled": 2}
    assert truth["fault"].value_counts().to_dict() == {"": 28, **counts}
    assert json.loads((archive / "truth.json").read_text())["faults"] == counts


def test_records_name_the_hash_of_their_file(archive: Path, truth: pd.DataFrame) -> None:
    for name, file in zip(truth["image_id"], truth["file"], strict=True):
        content = (archive / "images" / file).read_bytes()
        assert description(archive, name)["sha256"] == hashlib.sha256(content).hexdigest()


def test_duplicates_are_the_same_bytes_of_another_patient(archive: Path, truth: pd.DataFrame) -> None:
    rows = truth.set_index("image_id")
    duplicates = rows[rows["fault"] == "duplicate"]
    for name, original in duplicates["duplicate_of"].items():
        first, second = ((archive / "images" / f"{key}.jpg").read_bytes() for key in (name, original))
        assert first == second
        assert rows.loc[name, "patient_id"] != rows.loc[original, "patient_id"]
        assert rows.loc[name, "lesion_id"] != rows.loc[original, "lesion_id"]
        assert rows.loc[name, "target"] == rows.loc[original, "target"]
    distinct = {(archive / "images" / file).read_bytes() for file in truth.loc[truth["fault"] == "", "file"]}
    assert len(distinct) == 28


def test_unreadable_files_cannot_be_decoded_and_all_others_can(archive: Path, truth: pd.DataFrame) -> None:
    kinds = []
    for file, fault in zip(truth["file"], truth["fault"], strict=True):
        content = (archive / "images" / file).read_bytes()
        if fault == "unreadable":
            kinds.append(content[:2])
            with pytest.raises(OSError):  # noqa: PT011
                Image.open(BytesIO(content)).load()
        else:
            assert Image.open(BytesIO(content)).size == (43, 32)
    assert sorted(kinds) == sorted(2 * [b"", b"\xff\xd8", b"<!"])


def test_records_have_the_keys_of_the_archive(archive: Path, truth: pd.DataFrame) -> None:
    row = truth[truth["fault"] == ""].iloc[0]
    record = description(archive, row["image_id"])
    assert len(record["_id"]) == 24
    assert record["name"] == row["image_id"]
    assert record["meta"]["acquisition"] == {"image_type": "dermoscopic", "pixelsX": 43, "pixelsY": 32}
    clinical = record["meta"]["clinical"]
    assert clinical["patient_id"] == row["patient_id"]
    assert clinical["lesion_id"] == row["lesion_id"]
    assert clinical["benign_malignant"] == ("malignant" if row["target"] else "benign")
    assert set(clinical) >= {"age_approx", "sex", "diagnosis", "diagnosis_confirm_type", "melanocytic"}


def test_unlabelled_records_give_nothing_away(archive: Path, truth: pd.DataFrame) -> None:
    for name in truth.loc[truth["fault"] == "unlabelled", "image_id"]:
        clinical = description(archive, name)["meta"]["clinical"]
        keys = ("benign_malignant", "diagnosis", "diagnosis_confirm_type", "melanocytic")
        assert [clinical[key] for key in keys] == [None] * 4


def test_masks_have_the_size_of_their_image(archive: Path, truth: pd.DataFrame) -> None:
    for name in truth.loc[truth["fault"] == "", "image_id"]:
        image = (archive / "images" / f"{name}.jpg").read_bytes()
        with Image.open(archive / "masks" / f"{name}_segmentation.png") as mask:
            assert mask.size == Image.open(BytesIO(image)).size
            assert set(np.unique(np.asarray(mask))) == {0, 255}


def test_truth_has_the_best_auc_and_scores_agree_with_probabilities(archive: Path, truth: pd.DataFrame) -> None:
    assert json.loads((archive / "truth.json").read_text())["best_auc"] == best_auc()
    assert truth["probability"].between(0, 1).all()
    assert (truth["score"].rank() == truth["probability"].rank()).all()
    means = truth.groupby("target")["score"].mean()
    assert means[1] > 0 > means[0]


def test_no_images_leave_empty_folders_and_a_header(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    directory = run(tmp_path / "none", monkeypatch, images=0)
    assert sorted(path.name for path in directory.iterdir()) == [
        "descriptions",
        "images",
        "masks",
        "truth.csv",
        "truth.json",
    ]
    assert (directory / "truth.csv").read_text() == ",".join(phantom.TRUTH_COLUMNS) + "\n"


def test_drawing_processes_import_neither_torch_nor_pandas() -> None:
    import subprocess

    code = "import sys, pipeline.phantom; sys.exit(bool({'torch', 'pandas'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
