"""Several sources in one run: no image twice, no two patients taken for one, nothing settled in silence."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from PIL import Image

from pipeline import ingest, prepare, read_source
from pipeline.images import ARRAY, MASKS
from pipeline.merging import COLUMNS, merge
from pipeline.params.source import METADATA_COLUMNS
from pipeline.store import read_csv, read_json, write_csv
from tests.sources import record, record_v2, write_csv_lines, write_records


def table(*rows: dict[str, str]) -> pd.DataFrame:
    return pd.DataFrame([{**dict.fromkeys(METADATA_COLUMNS, ""), "label": "unknown", **row} for row in rows])


def by_id(merged: pd.DataFrame) -> dict[str, dict[str, str]]:
    assert list(merged.columns) == COLUMNS
    assert merged["image_id"].is_monotonic_increasing
    assert merged["image_id"].is_unique
    return merged.set_index("image_id").to_dict("index")


def test_one_source_keeps_its_ids() -> None:
    alone = table({"image_id": "b", "patient_id": "1"}, {"image_id": "a", "source": "clinic"})
    merged, counts = merge({"here": alone})
    rows = by_id(merged)
    assert rows["b"]["patient_id"] == "1"
    assert [rows[name]["source"] for name in "ab"] == ["clinic", "here"]
    assert {row["dataset"] for row in rows.values()} == {"here"}
    assert counts == {"images": 0, "united": {}, "filled": {}, "conflicts": {}, "first": []}


def test_the_same_name_in_two_sources_is_two_images_of_two_patients() -> None:
    names = {"image_id": "scan1", "patient_id": "7", "lesion_id": "x"}
    rows = by_id(merge({"oslo": table(names), "graz": table(names)})[0])
    assert sorted(rows) == ["graz.scan1", "oslo.scan1"]
    assert rows["graz.scan1"]["patient_id"] == "graz.7"
    assert rows["oslo.scan1"]["lesion_id"] == "oslo.x"


def test_what_the_archive_numbers_means_the_same_everywhere() -> None:
    first = table({"image_id": "ISIC_0000001", "patient_id": "IP_0000009", "lesion_id": "HAM_0000118"})
    second = table({"image_id": "ISIC_0000002", "patient_id": "IP_0000009", "lesion_id": "HAM_0000118"})
    rows = by_id(merge({"one": first, "two": second})[0])
    assert sorted(rows) == ["ISIC_0000001", "ISIC_0000002"]
    assert {row["patient_id"] for row in rows.values()} == {"IP_0000009"}
    assert {row["lesion_id"] for row in rows.values()} == {"HAM_0000118"}


def test_an_image_of_two_sources_is_one_row_that_the_first_settles() -> None:
    ham = {"image_id": "ISIC_0000001", "file": "a.jpg", "sha256": "aa", "label": "benign", "target": "0", "sex": "male"}
    archive = {"image_id": "ISIC_0000001", "file": "b.jpg", "sha256": "bb", "label": "malignant", "target": "1"}
    archive |= {"sex": "male", "age_approx": "50", "licence": "CC-0", "origin": "metadata.csv line 2"}
    merged, counts = merge({"ham": table(ham), "archive": table(archive)})
    row = by_id(merged)["ISIC_0000001"]
    assert [row[name] for name in ("file", "sha256", "label", "target", "dataset", "origin")] == [
        *("a.jpg", "aa", "benign", "0", "ham", "")
    ]
    assert (row["age_approx"], row["licence"]) == ("50", "CC-0")
    assert counts["images"] == 1
    assert counts["filled"] == {"age_approx": 1, "licence": 1}
    assert counts["conflicts"] == {"label": 1}
    assert counts["first"] == ["ISIC_0000001: label 'benign' in ham, 'malignant' in archive"]
    turned = by_id(merge({"archive": table(archive), "ham": table(ham)})[0])["ISIC_0000001"]
    assert (turned["label"], turned["target"], turned["file"]) == ("malignant", "1", "b.jpg")


@pytest.mark.parametrize(("label", "target"), [("malignant", "1"), ("indeterminate", "")])
def test_a_label_is_taken_with_its_target_from_the_first_that_has_one(label: str, target: str) -> None:
    unlabelled = table({"image_id": "ISIC_0000001"})
    labelled = table({"image_id": "ISIC_0000001", "label": label, "target": target})
    other = table({"image_id": "ISIC_0000001", "label": "benign", "target": "0"})
    row = by_id(merge({"a": unlabelled, "b": labelled, "c": other})[0])["ISIC_0000001"]
    assert (row["label"], row["target"]) == (label, target)


def test_ids_that_one_image_has_both_of_are_one_patient() -> None:
    """Else two images of a patient could be in two splits: one under each id."""
    a = table({"image_id": "ISIC_0000001", "patient_id": "7"}, {"image_id": "ISIC_0000004", "patient_id": "8"})
    b = table({"image_id": "ISIC_0000001", "patient_id": "p"}, {"image_id": "ISIC_0000002", "patient_id": "p"})
    c = table({"image_id": "ISIC_0000002", "patient_id": "IP_0000003"}, {"image_id": "q", "patient_id": "IP_0000003"})
    merged, counts = merge({"a": a, "b": b, "c": c})
    patients = {name: row["patient_id"] for name, row in by_id(merged).items()}
    assert patients == {"ISIC_0000001": "a.7", "ISIC_0000002": "a.7", "c.q": "a.7", "ISIC_0000004": "a.8"}
    assert counts["united"] == {"patient_id": 2}


@pytest.fixture
def two_sources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Benign images in one, malignant ones in another that is a CSV, and one image in both."""
    monkeypatch.chdir(tmp_path)
    write_records(Path("v2"), record_v2("ISIC_0000001"), record_v2("ISIC_0000002"), record("mole"))
    write_csv_lines(Path("t/t.csv"), "name,says,who", "ISIC_0000002,good,1", "mole,bad,1")
    columns = {"image_id": "name", "label": "says", "patient_id": "who"}
    labels = {"good": "benign", "bad": "malignant"}
    first = {"metadata": "v2", "images": "i1", "masks": None, "columns": {}, "labels": {}}
    second = {"metadata": "t/t.csv", "images": "i2", "masks": None, "columns": columns, "labels": labels}
    image = {"size": 16, "channels": 3, "fit": "crop", "max_unreadable": 0.1}
    Path("params.yaml").write_text(
        yaml.safe_dump({"source": {"v2": first, "own": second}, "image": image}, sort_keys=False)
    )


def test_the_stages_put_sources_together_and_the_second_alone_has_no_benign_image(two_sources: None) -> None:
    for name in ("v2", "own"):
        read_source.main(name)
    ingest.main()
    rows = by_id(read_csv(ingest.METADATA, dtype=str, keep_default_na=False))
    assert {name: row["label"] for name, row in rows.items()} == {
        "ISIC_0000001": "benign",
        "ISIC_0000002": "benign",
        "own.mole": "malignant",
        "v2.mole": "benign",
    }
    assert rows["ISIC_0000002"]["patient_id"] == rows["own.mole"]["patient_id"] == "own.1"
    report = read_json(ingest.REPORT)
    assert report["rows"] == 4
    assert report["repeated"]["images"] == 1
    assert {name: source["records"] for name, source in report["sources"].items()} == {"v2": 3, "own": 2}


def test_each_source_has_its_images_from_its_own_folder(two_sources: None) -> None:
    """Two files of the same name in two folders; a mask is named as the source names the image."""
    params = yaml.safe_load(Path("params.yaml").read_text())
    params["source"]["own"]["masks"] = "m2"
    Path("params.yaml").write_text(yaml.safe_dump(params, sort_keys=False))
    rows = pd.DataFrame(
        {"image_id": ["own.mole", "v2.mole"], "dataset": ["own", "v2"], "file": "mole.png", "sha256": ""}
    )
    for folder, gray in (("i1", 50), ("i2", 200), ("m2", 255)):
        Path(folder).mkdir()
        Image.new("L", (16, 16), gray).save(f"{folder}/mole.png")
    write_csv(prepare.REDUCED, rows)
    prepare.main()
    images, masks = (np.load(prepare.IMAGES / name) for name in (ARRAY, MASKS))
    assert [int(image.mean()) for image in images] == [200, 50]
    assert [bool(mask.any()) for mask in masks] == [True, False]
    assert read_json(prepare.REPORT)["masks"] == {"found": 1, "missing": 1}
