"""What ingest counts in real metadata is what pandas counts in the same files."""

import json
import shutil
from pathlib import Path

import pandas as pd
import pytest

from pipeline.errors import InputError
from pipeline.merging import merge
from pipeline.metadata import read_metadata
from pipeline.params.reader import read_tree
from tests.sources import ingested, source_of

ROOT = Path(__file__).parents[1]
REAL = ROOT.parent / "shared/data"
CSVS, RECORDS = REAL / "isic_csv", REAL / "isic_archive_v1/descriptions"

pytestmark = pytest.mark.skipif(not CSVS.is_dir(), reason="no real metadata beside the repository")


def counts_of(table: pd.DataFrame) -> dict[str, object]:
    """What every comparison looks at; the label counts in alphabetical order."""
    return {
        "rows": len(table),
        "labels": table["label"].value_counts().sort_index().to_dict(),
        "patients": table.loc[table["patient_id"] != "", "patient_id"].nunique(),
        "lesions": table.loc[table["lesion_id"] != "", "lesion_id"].nunique(),
        "no_age": int((table["age_approx"] == "").sum()),
        "no_sex": int((table["sex"] == "").sum()),
        "no_site": int((table["anatom_site"] == "").sum()),
        "age_sum": float(pd.to_numeric(table["age_approx"]).sum()),
    }


def counted(path: object) -> dict[str, object]:
    table, report = ingested(source_of(path))
    assert report["unreadable"]["count"] == 0
    assert report["duplicate_ids"]["dropped"] == 0
    assert report["rows"] == report["records"] == len(table)
    return counts_of(table)


def read(name: str, **options: object) -> pd.DataFrame:
    return pd.read_csv(CSVS / name, **options)


@pytest.mark.parametrize("name", ["aidl21_isic_metadata.csv", "aidl21_train_data.csv", "aidl21_test_data.csv"])
def test_aidl21(name):
    raw = read(name)
    assert counted(CSVS / name) == {
        "rows": len(raw),
        "labels": raw["benign_malignant"].value_counts().sort_index().to_dict(),
        "patients": raw.loc[raw["ID"].str.startswith("IP_"), "ID"].nunique(),
        "lesions": 0,
        "no_age": int(raw["age"].isna().sum()),
        "no_sex": int(raw["sex"].isna().sum()),
        "no_site": int(raw["anatomy"].isna().sum()),
        "age_sum": float(raw["age"].sum()),
    }


def test_siim2020_train():
    raw = read("siim_isic_2020_train.csv")
    assert counted(CSVS / "siim_isic_2020_train.csv") == {
        "rows": len(raw),
        "labels": raw["target"].map({0: "benign", 1: "malignant"}).value_counts().sort_index().to_dict(),
        "patients": raw["patient_id"].nunique(),
        "lesions": 0,
        "no_age": int(raw["age_approx"].isna().sum()),
        "no_sex": int(raw["sex"].isna().sum()),
        "no_site": int(raw["anatom_site_general_challenge"].isna().sum()),
        "age_sum": float(raw["age_approx"].sum()),
    }


def test_siim2020_test_has_no_labels():
    with pytest.raises(InputError, match=f"no label in any of their {len(read('siim_isic_2020_test.csv'))} rows"):
        ingested(source_of(CSVS / "siim_isic_2020_test.csv"))


def test_ham10000():
    raw = read("HAM10000_metadata.csv", na_values="unknown")
    malignant = raw["dx"].isin(["mel", "bcc", "akiec"])
    assert counted(CSVS / "HAM10000_metadata.csv") == {
        "rows": len(raw),
        "labels": {"benign": int((~malignant).sum()), "malignant": int(malignant.sum())},
        "patients": 0,
        "lesions": raw["lesion_id"].nunique(),
        "no_age": int(raw["age"].isna().sum()),
        "no_sex": int(raw["sex"].isna().sum()),
        "no_site": int(raw["localization"].isna().sum()),
        "age_sum": float(raw["age"].sum()),
    }


@pytest.mark.parametrize(
    ("name", "malignant"),
    [
        ("ISIC2018_Task3_Test_GroundTruth.csv", ["MEL", "BCC", "AKIEC"]),
        ("ISIC_2019_Training_GroundTruth.csv", ["MEL", "BCC", "AK", "SCC"]),
    ],
)
def test_one_hot(name, malignant):
    raw = read(name)
    sick = int(raw[malignant].sum().sum())
    found = counted(CSVS / name)
    assert found["labels"] == {"benign": len(raw) - sick, "malignant": sick}
    assert found["rows"] == found["no_age"] == len(raw)


@pytest.mark.parametrize("split", ["Training", "Validation", "Test_v2"])
def test_isic2017_ground_truth_alone(split):
    name = f"ISIC-2017_{split}_Part3_GroundTruth.csv"
    raw = read(name)
    melanoma = int(raw["melanoma"].sum())
    found = counted(CSVS / name)
    assert found["labels"] == {"benign": len(raw) - melanoma, "malignant": melanoma}
    assert found["rows"] == found["no_age"] == len(raw)


def test_isic2017_as_a_folder_with_ages_sexes_and_splits(tmp_path):
    for path in CSVS.glob("ISIC-2017_*.csv"):
        shutil.copy(path, tmp_path)
    splits = {"train": "Training", "val": "Validation", "test": "Test_v2"}
    truth = pd.concat([read(f"ISIC-2017_{name}_Part3_GroundTruth.csv", dtype=str) for name in splits.values()])
    ages = pd.concat([pd.read_csv(path, na_values="unknown") for path in tmp_path.glob("*_metadata.csv")])
    raw = truth.merge(ages, on="image_id", how="left")
    melanoma = int(raw["melanoma"].astype(float).sum())
    assert counted(tmp_path) == {
        "rows": len(raw),
        "labels": {"benign": len(raw) - melanoma, "malignant": melanoma},
        "patients": 0,
        "lesions": 0,
        "no_age": int(raw["age_approximate"].isna().sum()),
        "no_sex": int(raw["sex"].isna().sum()),
        "no_site": len(raw),
        "age_sum": float(raw["age_approximate"].sum()),
    }
    _, report = ingested(source_of(tmp_path))
    assert report["joined"] == {"records": len(ages), "repeated": 0, "unmatched": 0}
    sizes = {split: len(read(f"ISIC-2017_{name}_Part3_GroundTruth.csv")) for split, name in splits.items()}
    assert report["official_split"] == sizes


def test_the_two_halves_of_aidl21_are_the_whole(tmp_path):
    for path in CSVS.glob("aidl21_*.csv"):
        shutil.copy(path, tmp_path)
    table, report = ingested(source_of(tmp_path))
    halves = pd.concat([read("aidl21_train_data.csv"), read("aidl21_test_data.csv")])
    assert len(table) == halves["dcm_name"].nunique()
    assert report["duplicate_ids"] == {"dropped": len(halves), "conflicting": 0, "first": []}


def test_archive_v1_records():
    parsed = [json.loads(path.read_bytes()) for path in RECORDS.iterdir()]
    raw = pd.json_normalize(parsed).rename(columns=lambda name: name.removeprefix("meta.clinical."))
    found = counted(RECORDS)
    assert found == {
        "rows": len(parsed),
        "labels": raw["benign_malignant"].value_counts().sort_index().to_dict(),
        "patients": 0,
        "lesions": 0,
        "no_age": int(raw["age_approx"].isna().sum()),
        "no_sex": int(raw["sex"].isna().sum()),
        "no_site": len(parsed),
        "age_sum": float(raw["age_approx"].sum()),
    }


def test_the_squashed_isic2017_through_its_recipe():
    raw = pd.read_csv(REAL / "isic2017/metadata.csv")
    columns = read_tree(ROOT / "recipes/isic2017.yaml")["source"]["isic2017"]["columns"]
    table, report = ingested(source_of(REAL / "isic2017/metadata.csv", columns=columns))
    assert table["label"].value_counts().to_dict() == raw["label"].value_counts().to_dict()
    assert report["official_split"] == raw["split"].value_counts().to_dict()
    assert (table["official_split"] == "").sum() == (raw["split"] == "extra").sum()


def test_two_real_sources_share_their_images():
    """All images of the version 1 folder are in ISIC 2017, under the same ids and labels."""
    columns = read_tree(ROOT / "recipes/isic2017.yaml")["source"]["isic2017"]["columns"]
    challenge = read_metadata(source_of(REAL / "isic2017/metadata.csv", columns=columns))[0]
    archive = read_metadata(source_of(RECORDS))[0]
    assert set(archive["image_id"]) < set(challenge["image_id"])
    merged, counts = merge({"isic2017": challenge, "archive": archive})
    assert len(merged) == len(challenge)
    assert counts["images"] == len(archive) == counts["filled"]["image_type"]
    assert counts["conflicts"] == {}
