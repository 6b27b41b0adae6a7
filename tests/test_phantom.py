import hashlib
import json
import sys
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from numpy.typing import NDArray
from PIL import Image, ImageOps
from pydantic import ValidationError

from pipeline import phantom
from pipeline.dermoscopy import archive as drawn_archive
from pipeline.dermoscopy.cohort import draw_cohort
from pipeline.dermoscopy.faults import VARIANTS
from pipeline.dermoscopy.photograph import photograph
from pipeline.dermoscopy.traits import best_auc
from pipeline.params.phantom import PhantomParams

IMAGES = 120
RATES = {
    "duplicate": 0.05,
    "near_duplicate": 0.125,  # 15: every variant once
    "unreadable": 0.05,
    "other_format": 0.04,
    "colour_mode": 0.04,
    "exif_orientation": 0.06,
    "unlabelled": 0.02,
    "indeterminate": 0.02,
    "synthetic": 0.02,
    "non_dermoscopic": 0.04,
}
COUNTS = {
    "duplicate": 6,
    "near_duplicate": 15,
    "unreadable": 6,
    "other_format": 4,
    "colour_mode": 4,
    "exif_orientation": 7,
    "unlabelled": 2,
    "indeterminate": 2,
    "synthetic": 2,
    "non_dermoscopic": 4,
}
SIZE = 48
SKIN = [0.22, 0.28, 0.22, 0.13, 0.09, 0.06]
SETTINGS = {"images": IMAGES, "shorter_side": SIZE, "malignant": 0.25, "skin": SKIN, **RATES}
ALIKE = 6.0  # levels of 255, mean difference: what JPEG and resizing leave between pictures of one scene


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


@pytest.fixture(scope="module")
def drawn() -> Callable[[str], NDArray[np.uint8]]:
    """The picture of an image id before it was made a file."""
    records = {record.name: record for record in draw_cohort(IMAGES, 0.25, RATES, 0)}
    return lambda name: photograph(records[name].scene, SIZE)[0]


@pytest.fixture
def truth(archive: Path) -> pd.DataFrame:
    return pd.read_csv(archive / "truth.csv", keep_default_na=False)


def with_fault(truth: pd.DataFrame, fault: str) -> pd.DataFrame:
    rows = truth[truth["fault"] == fault]
    assert len(rows) == COUNTS[fault]
    return rows


def description(archive: Path, image_id: str) -> dict:
    return json.loads((archive / "descriptions" / f"{image_id}.json").read_text())


def opened(archive: Path, file: str) -> Image.Image:
    return Image.open(BytesIO((archive / "images" / file).read_bytes()))


def mask_of(archive: Path, image_id: str) -> NDArray[np.uint8]:
    with Image.open(archive / "masks" / f"{image_id}_segmentation.png") as mask:
        return np.asarray(mask)


def difference(first: object, second: object) -> float:
    return float(np.abs(np.asarray(first, dtype=float) - np.asarray(second, dtype=float)).mean())


def test_a_second_run_is_byte_identical(archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert contents(run(tmp_path / "again", monkeypatch)) == contents(archive)


def test_another_seed_gives_other_images(archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other, first = contents(run(tmp_path / "other", monkeypatch, seed=1)), contents(archive)
    shared = [name for name in other.keys() & first.keys() if name.startswith("images/") and other[name]]
    assert len(shared) > 100
    assert all(other[name] != first[name] for name in shared if b"<html>" not in other[name])


def test_files_do_not_depend_on_the_number_of_workers(
    archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drawn_archive, "IMAGES_PER_WORKER", 5)
    for name in ("images", "descriptions", "masks"):
        (tmp_path / name).mkdir()
    drawn_archive.write_photographs(tmp_path, draw_cohort(IMAGES, 0.25, RATES, 0), SIZE, 0, 3)
    of_one_worker = contents(archive)
    assert of_one_worker.keys() - contents(tmp_path).keys() == {"truth.csv", "truth.json"}
    assert all(of_one_worker[name] == content for name, content in contents(tmp_path).items())


def test_every_image_has_a_record_a_mask_and_a_row(archive: Path, truth: pd.DataFrame) -> None:
    names = [f"PHANTOM_{number:07d}" for number in range(1, IMAGES + 1)]
    assert list(truth["image_id"]) == names
    assert sorted(path.name for path in (archive / "images").iterdir()) == sorted(truth["file"])
    assert sorted(path.stem for path in (archive / "images").iterdir()) == names
    assert sorted(path.stem for path in (archive / "descriptions").iterdir()) == names
    assert sorted(path.stem for path in (archive / "masks").iterdir()) == [f"{name}_segmentation" for name in names]


def test_faults_come_at_their_rates(archive: Path, truth: pd.DataFrame) -> None:
    counts = truth["fault"].value_counts().to_dict()
    assert counts == {"": IMAGES - sum(COUNTS.values()), **COUNTS}
    assert json.loads((archive / "truth.json").read_text())["faults"] == COUNTS


def test_variants_of_a_fault_come_in_turn(truth: pd.DataFrame) -> None:
    for fault, variants in VARIANTS.items():
        repeated = [variants[rank % len(variants)] for rank in range(COUNTS[fault])]
        assert sorted(with_fault(truth, fault)["variant"]) == sorted(repeated), fault
    assert set(truth.loc[truth["fault"] == "", "variant"]) == {""}


def test_every_fault_has_a_rate_among_the_params() -> None:
    assert PhantomParams.model_fields.keys() - {"images", "shorter_side", "malignant", "skin"} == set(VARIANTS)
    assert drawn_archive.fault_rates(PhantomParams(**SETTINGS)) == RATES


def test_rates_that_leave_too_few_clean_records_are_refused() -> None:
    with pytest.raises(ValidationError, match=r"must sum to 0\.5 at most, got 0\.535; lower"):
        PhantomParams(**SETTINGS | {"unlabelled": 0.09})


def test_records_name_the_hash_of_their_file(archive: Path, truth: pd.DataFrame) -> None:
    for name, file in zip(truth["image_id"], truth["file"], strict=True):
        content = (archive / "images" / file).read_bytes()
        assert description(archive, name)["sha256"] == hashlib.sha256(content).hexdigest()


def test_names_without_a_suffix_stand_for_jpegs(archive: Path, truth: pd.DataFrame) -> None:
    for image_id, file in zip(truth["image_id"], truth["file"], strict=True):
        name = description(archive, image_id)["name"]
        assert (name if "." in name else f"{name}.jpg") == file


@pytest.mark.parametrize("fault", ["duplicate", "near_duplicate"])
def test_copies_have_clean_originals_of_other_patients_and_the_same_class(truth: pd.DataFrame, fault: str) -> None:
    rows = truth.set_index("image_id")
    copies = with_fault(truth, fault).set_index("image_id")
    for name, original in copies["duplicate_of"].items():
        assert rows.loc[original, "fault"] == ""
        assert rows.loc[name, "patient_id"] != rows.loc[original, "patient_id"]
        assert rows.loc[name, "lesion_id"] != rows.loc[original, "lesion_id"]
        assert rows.loc[name, "target"] == rows.loc[original, "target"]
    assert truth.loc[truth["duplicate_of"] != "", "duplicate_of"].is_unique


def test_duplicates_are_the_same_bytes(archive: Path, truth: pd.DataFrame) -> None:
    rows = with_fault(truth, "duplicate")
    for name, original in zip(rows["image_id"], rows["duplicate_of"], strict=True):
        first, second = ((archive / "images" / f"{key}.jpg").read_bytes() for key in (name, original))
        assert first == second
    others = truth.loc[~truth["fault"].isin(["duplicate", "unreadable"]), "file"]
    assert len({(archive / "images" / file).read_bytes() for file in others}) == len(others)


def undone(image: Image.Image, variant: str, size: tuple[int, int]) -> Image.Image:
    """A near duplicate made to lie on its original again."""
    turns = {"rotated by 90": 270, "rotated by 180": 180, "rotated by 270": 90}
    if variant in turns:
        return image.rotate(turns[variant], expand=True)
    if variant == "flipped left to right":
        return ImageOps.mirror(image)
    if variant == "flipped top to bottom":
        return ImageOps.flip(image)
    return image.resize(size, Image.Resampling.NEAREST if image.mode == "L" else Image.Resampling.BICUBIC)


def test_near_duplicates_show_the_same_picture_in_another_file(archive: Path, truth: pd.DataFrame) -> None:
    clean = list(truth.loc[truth["fault"] == "", "file"])
    for row in with_fault(truth, "near_duplicate").itertuples():
        original, copy = opened(archive, f"{row.duplicate_of}.jpg"), opened(archive, row.file)
        aligned = undone(copy, row.variant, original.size)
        others = [opened(archive, file) for file in clean if file != f"{row.duplicate_of}.jpg"]
        assert difference(aligned, original) < 1.5 * ALIKE, row.variant
        assert min(difference(aligned, other) for other in others) > 1.5 * difference(aligned, original), row.variant
        assert copy.tobytes() != original.tobytes()


def test_masks_of_near_duplicates_follow_their_picture(archive: Path, truth: pd.DataFrame) -> None:
    for row in with_fault(truth, "near_duplicate").itertuples():
        original, copy = mask_of(archive, row.duplicate_of), mask_of(archive, row.image_id)
        assert copy.shape == opened(archive, row.file).size[::-1]
        aligned = np.asarray(undone(Image.fromarray(copy), row.variant, original.shape[::-1]))
        assert np.mean(aligned == original) > 0.97, row.variant


def test_near_duplicates_have_the_shape_and_quality_that_truth_says(archive: Path, truth: pd.DataFrame) -> None:
    rows = with_fault(truth, "near_duplicate").drop_duplicates("variant").set_index("variant")
    sizes = {variant: opened(archive, file).size for variant, file in rows["file"].items()}
    assert sizes["halved"] == (32, 24)
    assert [sizes[f"squashed to {aspect}"] for aspect in ("1:1", "3:2", "16:9")] == [(48, 48), (72, 48), (85, 48)]
    assert [sizes[f"rotated by {angle}"] for angle in (90, 180, 270)] == [(48, 64), (64, 48), (48, 64)]
    recompressed = rows.loc["recompressed"]
    smaller, larger = (
        (archive / "images" / f"{recompressed[column]}.jpg").stat().st_size for column in ("image_id", "duplicate_of")
    )
    assert smaller < 0.6 * larger


def test_unreadable_files_cannot_be_decoded_and_all_others_can(archive: Path, truth: pd.DataFrame) -> None:
    kinds = []
    for file, fault in zip(truth["file"], truth["fault"], strict=True):
        content = (archive / "images" / file).read_bytes()
        if fault == "unreadable":
            kinds.append(content[:2])
            with pytest.raises(OSError):  # noqa: PT011
                Image.open(BytesIO(content)).load()
        else:
            opened(archive, file).load()
    assert sorted(kinds) == sorted(2 * [b"", b"\xff\xd8", b"<!"])


def test_files_of_another_format_say_jpg_and_show_their_picture(archive: Path, truth: pd.DataFrame, drawn) -> None:
    for row in with_fault(truth, "other_format").itertuples():
        image = opened(archive, row.file)
        assert row.file.endswith(".jpg")
        assert image.format == row.variant
        assert difference(image, drawn(row.image_id)) < ALIKE


def test_colour_modes_are_as_said_and_show_their_picture(archive: Path, truth: pd.DataFrame, drawn) -> None:
    modes = {"CMYK": {"CMYK"}, "RGBA": {"RGBA"}, "gray": {"L"}, "16-bit gray": {"I;16", "I"}}
    for row in with_fault(truth, "colour_mode").itertuples():
        image, picture = opened(archive, row.file), Image.fromarray(drawn(row.image_id))
        assert image.mode in modes[row.variant]
        assert image.format == ("PNG" if row.file.endswith(".png") else "JPEG")
        if "gray" in row.variant:
            scale = 257 if row.variant == "16-bit gray" else 1
            lost = 0.1 if image.format == "PNG" else ALIKE / 2
            assert difference(np.asarray(image) / scale, picture.convert("L")) < lost
        else:
            assert difference(image.convert("RGB"), picture) < ALIKE


def test_pictures_stored_turned_are_upright_after_their_tag(archive: Path, truth: pd.DataFrame, drawn) -> None:
    for row in with_fault(truth, "exif_orientation").itertuples():
        image, picture = opened(archive, row.file), drawn(row.image_id)
        assert image.getexif()[0x0112] == int(row.variant)
        upright = ImageOps.exif_transpose(image)
        assert difference(upright, picture) < ALIKE
        assert image.size == ((64, 48) if int(row.variant) < 5 else (48, 64))
        if image.size == upright.size:
            assert difference(image, picture) > 1.5 * difference(upright, picture)
        assert mask_of(archive, row.image_id).shape == picture.shape[:2]


def test_records_have_the_keys_of_the_archive(archive: Path, truth: pd.DataFrame) -> None:
    row = truth[truth["fault"] == ""].iloc[0]
    record = description(archive, row["image_id"])
    assert len(record["_id"]) == 24
    assert record["name"] == row["image_id"]
    assert record["meta"]["acquisition"] == {"image_type": "dermoscopic", "pixelsX": 64, "pixelsY": 48}
    clinical = record["meta"]["clinical"]
    assert clinical["patient_id"] == row["patient_id"]
    assert clinical["lesion_id"] == row["lesion_id"]
    assert clinical["benign_malignant"] == ("malignant" if row["target"] else "benign")
    assert set(clinical) >= {"age_approx", "sex", "diagnosis", "diagnosis_confirm_type", "melanocytic"}


def test_unlabelled_records_give_nothing_away(archive: Path, truth: pd.DataFrame) -> None:
    for name in with_fault(truth, "unlabelled")["image_id"]:
        clinical = description(archive, name)["meta"]["clinical"]
        keys = ("benign_malignant", "diagnosis", "diagnosis_confirm_type", "melanocytic")
        assert [clinical[key] for key in keys] == [None] * 4


def test_labels_are_indeterminate_where_truth_says_so(archive: Path, truth: pd.DataFrame) -> None:
    labels = {name: description(archive, name)["meta"]["clinical"]["benign_malignant"] for name in truth["image_id"]}
    rows = with_fault(truth, "indeterminate")
    assert {name for name, label in labels.items() if label == "indeterminate"} == set(rows["image_id"])


def test_image_types_and_the_synthetic_mark_are_where_truth_says_so(archive: Path, truth: pd.DataFrame) -> None:
    for row in truth.itertuples():
        acquisition = description(archive, row.image_id)["meta"]["acquisition"]
        expected = row.variant if row.fault == "non_dermoscopic" else "dermoscopic"
        assert acquisition["image_type"] == expected
        assert acquisition.get("image_manipulation") == ("synthetic" if row.fault == "synthetic" else None)
    assert set(with_fault(truth, "non_dermoscopic")["variant"]) == {"clinical: close-up", "TBP tile: close-up"}


def test_masks_have_the_size_of_their_upright_image(archive: Path, truth: pd.DataFrame) -> None:
    for row in truth[truth["fault"] != "unreadable"].itertuples():
        mask = mask_of(archive, row.image_id)
        assert mask.shape == ImageOps.exif_transpose(opened(archive, row.file)).size[::-1]
        assert set(np.unique(mask)) == {0, 255}


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
    assert (directory / "truth.csv").read_text() == ",".join(drawn_archive.TRUTH_COLUMNS) + "\n"


def test_drawing_processes_import_neither_torch_nor_pandas() -> None:
    import subprocess

    code = "import sys, pipeline.phantom; sys.exit(bool({'torch', 'pandas'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
