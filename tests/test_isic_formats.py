"""Every known format: one record of each kind becomes the row that its publisher means."""

import csv
import json

import pandas as pd
import pytest

from pipeline.errors import InputError
from pipeline.isic import FORMATS, recognise, records
from pipeline.isic.vocabulary import DIAGNOSES, LABELS, SPLITS
from tests.sources import ingested, record, record_v2, source_of, write_csv_lines, write_records

SIIM = "image_name,patient_id,sex,age_approx,anatom_site_general_challenge"
HAM = "lesion_id,image_id,dx,dx_type,age,sex,localization"


def rows_of(path: str, **changes: object) -> pd.DataFrame:
    table, report = ingested(source_of(path, **changes))
    assert report["unreadable"]["count"] == 0
    return table.set_index("image_id")


def test_no_format_is_taken_for_another():
    for name, known in FORMATS.items():
        assert recognise(known.required) == name
        assert [other for other, form in FORMATS.items() if form.required <= known.required] == [name]


def test_every_format_refuses_what_is_not_text_with_a_value_error():
    for known in FORMATS.values():
        for value in ([], {}, ["a"], {"a": 1}):
            with pytest.raises(ValueError, match=r".+"):
                known.row(dict.fromkeys(known.required, value))


def test_siim2020_has_patients_and_the_second_version_lesions(tmp_path):
    header = f"{SIIM},diagnosis,benign_malignant,target,lesion_id"
    lines = ["ISIC_1,IP_1,male,45.0,torso,unknown,benign,0,IL_1", "ISIC_2,IP_2,,,,melanoma,malignant,1,"]
    table = rows_of(write_csv_lines(tmp_path / "ISIC_2020_Training_GroundTruth.csv", header, *lines))
    first = table.loc["ISIC_1", ["file", "label", "diagnosis", "patient_id", "lesion_id", "sex", "age_approx"]]
    assert first.tolist() == ["ISIC_1.jpg", "benign", "", "IP_1", "IL_1", "male", "45"]
    assert table.loc["ISIC_2", ["label", "diagnosis", "sex", "age_approx"]].tolist() == [
        "malignant",
        "melanoma",
        "",
        "",
    ]
    assert table["official_split"].tolist() == ["train", "train"]


def test_ham10000_codes_become_diagnoses_and_labels(tmp_path):
    codes = ["akiec", "bcc", "bkl", "df", "mel", "nv", "vasc"]
    lines = [f"HAM_{code},{code},{code},histo,80.0,unknown,scalp,rosendahl" for code in codes]
    table = rows_of(write_csv_lines(tmp_path / "a.csv", f"{HAM},dataset", *lines))
    assert table.index[table["label"] == "malignant"].tolist() == ["akiec", "bcc", "mel"]
    assert table.index[table["label"] == "benign"].tolist() == ["bkl", "df", "nv", "vasc"]
    assert table.loc["bkl"].tolist()[4:10] == ["benign keratosis", "", "HAM_bkl", "", "80", "scalp"]
    assert set(table["source"]) == {"rosendahl"}


def test_the_user_may_call_a_code_otherwise(tmp_path):
    lines = ["H1,A,akiec,histo,80,male,scalp", "H2,B,mel,histo,80,male,scalp"]
    path = write_csv_lines(tmp_path / "a.csv", HAM, *lines)
    assert rows_of(path, labels={"akiec": "benign"})["label"].tolist() == ["benign", "malignant"]


@pytest.mark.parametrize(
    ("header", "malignant"),
    [
        ("MEL,NV,BCC,AKIEC,BKL,DF,VASC", ["AKIEC", "BCC", "MEL"]),
        ("MEL,NV,BCC,AK,BKL,DF,VASC,SCC,UNK", ["AK", "BCC", "MEL", "SCC"]),
    ],
)
def test_one_hot_columns_become_diagnoses_and_labels(tmp_path, header, malignant):
    codes = header.split(",")
    lines = [",".join([code, *("1.0" if other == code else "0.0" for other in codes)]) for code in codes]
    table = rows_of(write_csv_lines(tmp_path / "ISIC_Test_GroundTruth.csv", f"image,{header}", *lines))
    assert sorted(table.index[table["label"] == "malignant"]) == malignant
    assert table.index[table["label"] == "unknown"].tolist() == [code for code in codes if code == "UNK"]
    assert table["diagnosis"].to_dict() == {code: DIAGNOSES[code.lower()] for code in codes}
    assert set(table["official_split"]) == {"test"}


@pytest.mark.parametrize("values", ["0,0,0,0,0,0,0", "1,1,0,0,0,0,0", "0.9,0.1,0,0,0,0,0", "nan,0,0,0,0,0,0"])
def test_a_row_that_is_not_one_hot_is_unreadable(tmp_path, values):
    lines = ["image,MEL,NV,BCC,AKIEC,BKL,DF,VASC", "A,1,0,0,0,0,0,0", "B,0,1,0,0,0,0,0", f"C,{values}"]
    _, report = ingested(source_of(write_csv_lines(tmp_path / "a.csv", *lines)))
    assert (report["rows"], report["unreadable"]["count"], report["records"]) == (2, 1, 3)


def test_one_hot_ground_truth_takes_ages_and_lesions_from_the_table_beside_it(tmp_path):
    header = "image,MEL,NV,BCC,AK,BKL,DF,VASC,SCC,UNK"
    write_csv_lines(tmp_path / "d/truth.csv", header, "A,1,0,0,0,0,0,0,0,0", "B,0,1,0,0,0,0,0,0,0")
    beside = "image,age_approx,anatom_site_general,lesion_id,sex"
    write_csv_lines(tmp_path / "d/meta.csv", beside, "B,30.0,anterior torso,BCN_1,female")
    table = rows_of(str(tmp_path / "d"))
    assert table.loc["B", ["age_approx", "anatom_site", "lesion_id", "sex"]].tolist() == [
        "30",
        "anterior torso",
        "BCN_1",
        "female",
    ]
    assert table.loc["A", "age_approx"] == ""


def test_archive_v2_records_and_the_flat_table_of_the_same_are_the_same_rows(tmp_path):
    clinical = {"diagnosis_2": "Malignant melanocytic proliferations (Melanoma)", "diagnosis_3": "Melanoma Invasive"}
    clinical |= {"age_approx": 55, "sex": "male", "anatom_site_1": "Trunk", "patient_id": "IP_1", "lesion_id": "IL_1"}
    melanoma = record_v2("ISIC_1", "Malignant", diagnosis_4="Melanoma Invasive, Nodular", **clinical)
    unsure = record_v2("ISIC_2", "Indeterminate", anatom_site_general="head/neck", anatom_site_1="Head")
    synthetic = record_v2("ISIC_3")
    synthetic["metadata"]["acquisition"]["image_manipulation"] = "synthetic"
    records = [melanoma, unsure, synthetic]
    nested = rows_of(write_records(tmp_path / "d", *records))
    pd.testing.assert_frame_equal(
        nested.drop(columns="origin"), rows_of(flat_csv(tmp_path / "a.csv", records)).drop(columns="origin")
    )
    assert nested.loc["ISIC_1"].tolist() == [
        *("ISIC_1.jpg", "", "malignant", "1", "Melanoma Invasive", "IP_1", "IL_1", "male", "55", "Trunk"),
        *("dermoscopic", "A clinic", "CC-BY", "A clinic", "", "000.json", "here"),
    ]
    assert nested["label"].tolist() == ["malignant", "indeterminate", "benign"]
    assert nested.loc["ISIC_2", "anatom_site"] == "head/neck"
    assert nested.loc["ISIC_3", "image_type"] == "synthetic"


def flat_csv(path, records) -> str:
    flat = [{**each, **each["metadata"]["acquisition"], **each["metadata"]["clinical"]} for each in records]
    columns = sorted({key for each in flat for key in each} - {"metadata", "files", "public"})
    with open(path, "w", newline="") as file:
        writer = csv.DictWriter(file, columns, extrasaction="ignore")
        writer.writeheader()
        writer.writerows(flat)
    return str(path)


def test_before_diagnosis_levels_archive_v2_said_benign_or_malignant(tmp_path):
    old = record_v2("A", None, benign_malignant="malignant", diagnosis="melanoma")
    table = rows_of(write_records(tmp_path / "d", old, record_v2("B")))
    assert table.loc["A", ["label", "diagnosis"]].tolist() == ["malignant", "melanoma"]


@pytest.mark.parametrize(("level", "word"), [("Benign", "malignant"), ("Malignant", "benign")])
def test_a_record_whose_old_and_new_labels_contradict_each_other_is_unreadable(tmp_path, level, word):
    records = [record_v2("A"), record_v2("B", "Malignant"), record_v2("C", level, benign_malignant=word)]
    table, report = ingested(source_of(write_records(tmp_path / "d", *records)))
    assert table["image_id"].tolist() == ["A", "B"]
    assert report["unreadable"]["first"] == [f"002.json: one field says {level!r} and another {word!r}"]


def test_an_indeterminate_level_is_no_contradiction(tmp_path):
    records = [record_v2("A"), record_v2("B", "Malignant"), record_v2("C", "Indeterminate", benign_malignant="benign")]
    assert rows_of(write_records(tmp_path / "d", *records)).loc["C", "label"] == "indeterminate"


def test_a_key_outside_its_section_is_not_read(tmp_path):
    astray = {**record_v2("A"), "diagnosis_1": "Malignant", "sex": "male"}
    astray["metadata"]["clinical"]["isic_id"] = "B"
    table = rows_of(write_records(tmp_path / "d", astray, record_v2("C", "Malignant")))
    assert table.loc["A", ["label", "sex"]].tolist() == ["benign", ""]


def test_a_record_with_a_key_twice_is_unreadable(tmp_path):
    twice = json.dumps(record_v2("C")).replace('"diagnosis_1"', '"diagnosis_1": "Malignant", "diagnosis_1"')
    _, report = ingested(source_of(write_records(tmp_path / "d", record_v2("A"), record_v2("B", "Malignant"), twice)))
    assert report["unreadable"]["first"] == ["002.json: an object has a key twice: 'diagnosis_1, diagnosis_1'"]


def test_records_of_both_archives_may_lie_in_one_folder(tmp_path):
    v1 = {"name": "A", "meta": {"clinical": {"benign_malignant": "malignant"}}}
    _, report = ingested(source_of(write_records(tmp_path / "d", v1, record_v2("B"))))
    assert report["format"] == "archive_v1+archive_v2"


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("all.json", lambda records: json.dumps(records)),
        ("page.JSON", lambda records: json.dumps({"count": 3, "next": None, "results": records})),
        ("lines.jsonl", lambda records: "\n\n".join(map(json.dumps, records)) + "\n"),
        ("lines.ndjson", lambda records: "\r\n".join(map(json.dumps, records))),
    ],
)
def test_many_records_in_a_file_are_the_same_rows_as_each_in_its_own(tmp_path, name, written):
    records = [record_v2("ISIC_1"), record_v2("ISIC_2", "Malignant"), record_v2("ISIC_3", sex="male")]
    expected = rows_of(write_records(tmp_path / "each", *records)).drop(columns="origin")
    (tmp_path / "file").mkdir()
    (tmp_path / "file" / name).write_text(written(records))
    for path in (tmp_path / "file" / name, tmp_path / "file"):
        table = rows_of(str(path))
        assert table.pop("origin").str.startswith(f"{name} ").all()
        pd.testing.assert_frame_equal(table, expected)


def test_saved_pages_and_single_records_may_lie_in_one_folder(tmp_path):
    folder = tmp_path / "d"
    write_records(folder, {"results": [record_v2("ISIC_1"), record_v2("ISIC_2", "Malignant")]}, record_v2("ISIC_3"))
    assert list(rows_of(str(folder)).index) == ["ISIC_1", "ISIC_2", "ISIC_3"]


def test_files_that_several_processes_read_are_the_rows_and_the_faults_that_one_reads(tmp_path, monkeypatch):
    archive = [record_v2(f"ISIC_{number:07d}") for number in range(20)]
    folder = write_records(tmp_path / "d", record("A", "malignant"), *archive, "{", record_v2("ISIC_9", sex=["male"]))
    alone, its_report = ingested(source_of(folder))
    monkeypatch.setattr(records, "FILES_A_BATCH", 2)
    monkeypatch.setattr(records, "BATCHES_PER_WORKER", 4)
    table, report = ingested(source_of(folder))
    pd.testing.assert_frame_equal(table, alone)
    assert report == its_report
    assert (len(table), report["unreadable"]["count"], report["format"]) == (21, 2, "archive_v1+archive_v2")


def test_what_is_wrong_in_a_file_of_many_is_named_and_the_rest_read(tmp_path):
    lines = [json.dumps(record_v2("ISIC_1")), "{", json.dumps(record_v2("ISIC_2", "Malignant")), "7"]
    (tmp_path / "a.jsonl").write_text("\n".join(lines))
    (tmp_path / "b.json").write_text(json.dumps([record_v2("ISIC_3"), {"name": 1}, record_v2(None)]))
    table, report = ingested(source_of(tmp_path))
    assert list(table["image_id"]) == ["ISIC_1", "ISIC_2", "ISIC_3"]
    assert [line.split(":")[0] for line in report["unreadable"]["first"]] == [
        "a.jsonl line 2",
        "a.jsonl line 4",
        "b.json record 2",
        "b.json record 3",
    ]
    assert report["records"] == 7


def test_columns_are_not_for_a_file_of_records(tmp_path):
    (tmp_path / "a.jsonl").write_text(json.dumps(record_v2("ISIC_1")))
    with pytest.raises(InputError, match=r"columns is for tables, but metadata is .*a.jsonl"):
        ingested(source_of(tmp_path / "a.jsonl", columns={"image_id": "a", "label": "b"}))


ISIC2024 = (
    "isic_id,target,patient_id,age_approx,sex,anatom_site_general,clin_size_long_diam_mm,image_type,tbp_tile_type,"
    "attribution,copyright_license,lesion_id,iddx_full,iddx_1,mel_mitotic_index,mel_thick_mm,tbp_lv_A"
)


def test_isic2024_takes_the_target_and_reads_no_column_that_tells_it(tmp_path):
    tail = "TBP tile: close-up,3D: XP,A clinic,CC-BY"
    lines = [
        f"ISIC_1,0,IP_1,60.0,male,torso,3.1,{tail},,Benign,Benign,,,97.5",
        f"ISIC_2,1,IP_2,55.0,female,torso,3.1,{tail},IL_2,Malignant::melanoma,Malignant,1/mm^2,0.5,99.1",
    ]
    path = write_csv_lines(tmp_path / "train-metadata.csv", ISIC2024, *lines)
    table, report = ingested(source_of(path))
    assert report["format"] == "isic2024"
    assert report["leak_columns"] == ["iddx_1", "iddx_full", "mel_mitotic_index", "mel_thick_mm"]
    assert table["label"].tolist() == ["benign", "malignant"]
    assert table.loc[
        1, ["patient_id", "lesion_id", "diagnosis", "image_type", "licence", "official_split"]
    ].tolist() == [*("IP_2", "IL_2", "", "TBP tile: close-up", "CC-BY", "train")]


@pytest.mark.parametrize("age", [10**400, "1e999", float("inf"), "nan"])
def test_an_age_that_is_no_finite_number_is_none(tmp_path, age):
    table = rows_of(
        write_records(tmp_path / "d", json.dumps(record_v2("A", age_approx=age)), record_v2("B", "Malignant"))
    )
    assert table.loc["A", "age_approx"] == ""


def test_the_vocabulary_is_in_lower_case_and_every_code_has_a_label():
    assert all(key == key.lower() for key in [*LABELS, *DIAGNOSES, *SPLITS])
    assert set(DIAGNOSES) <= set(LABELS)
