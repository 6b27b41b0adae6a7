import json
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from pipeline.errors import InputError
from pipeline.ingest import METADATA, REPORT, ingest, main
from pipeline.isic import FORMATS
from pipeline.isic.vocabulary import LABELS, label_of
from pipeline.params.source import METADATA_COLUMNS, SourceParams
from pipeline.store import read_json

AIDL21_HEADER = "ID,dcm_name,age,anatomy,benign_malignant,diagnosis,sex,target"


def source_of(metadata: str, **changes: object) -> SourceParams:
    values = {"name": "here", "images": "images", "masks": None, "columns": {}, "labels": {}, **changes}
    return SourceParams.model_validate({"metadata": metadata, **values})


def record(name: object, label: str | None = "benign", **clinical: object) -> dict:
    return {
        "_id": "1",
        "name": name,
        "meta": {"clinical": {"benign_malignant": label, **clinical}, "acquisition": {"image_type": "dermoscopic"}},
    }


def write_records(folder: Path, *records: object) -> str:
    folder.mkdir(exist_ok=True)
    for number, content in enumerate(records):
        text = content if isinstance(content, str) else json.dumps(content)
        (folder / f"{number:03d}.json").write_text(text)
    return str(folder)


def write_csv_lines(path: Path, *lines: str) -> str:
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return str(path)


PAIR = (record("A"), record("B", "malignant"))


def test_an_archive_record_becomes_the_row_that_it_describes(tmp_path):
    full = record("ISIC_7", "malignant", diagnosis="melanoma", age_approx=55, sex="female", patient_id="IP_1")
    full["meta"]["clinical"].update(lesion_id="IL_2", anatom_site_general="torso")
    full.update(sha256="AB" * 32, licence="CC-0", attribution="Anonymous")
    table, _ = ingest(source_of(write_records(tmp_path / "d", full, record("ISIC_6"))))
    assert tuple(table.columns) == METADATA_COLUMNS
    assert table["image_id"].tolist() == ["ISIC_6", "ISIC_7"]
    assert table.iloc[1].to_dict() == {
        "image_id": "ISIC_7",
        "file": "ISIC_7.jpg",
        "sha256": "ab" * 32,
        "label": "malignant",
        "target": "1",
        "diagnosis": "melanoma",
        "patient_id": "IP_1",
        "lesion_id": "IL_2",
        "sex": "female",
        "age_approx": "55",
        "anatom_site": "torso",
        "image_type": "dermoscopic",
        "source": "here",
        "licence": "CC-0",
        "attribution": "Anonymous",
    }


def test_the_archives_data_set_gives_source_and_licence(tmp_path):
    full = {**record("A"), "dataset": {"name": "UDA-1", "license": "CC-0"}}
    table, _ = ingest(source_of(write_records(tmp_path / "d", full, record("B", "malignant"))))
    assert table["source"].tolist() == ["UDA-1", "here"]
    assert table["licence"].tolist() == ["CC-0", ""]


def test_the_archives_synthetic_mark_is_the_image_type(tmp_path):
    marked = record("C")
    marked["meta"]["acquisition"]["image_manipulation"] = "synthetic"
    table, _ = ingest(source_of(write_records(tmp_path / "d", *PAIR, marked)))
    assert table["image_type"].tolist() == ["dermoscopic", "dermoscopic", "synthetic"]


def test_records_without_extension_count_and_hidden_or_other_files_do_not(tmp_path):
    folder = Path(write_records(tmp_path / "d", *PAIR))
    (folder / "ISIC_9").write_text(json.dumps(record("C")))
    (folder / ".hidden.json").write_text(json.dumps(record("D")))
    (folder / "notes.txt").write_text("none")
    (folder / "deeper").mkdir()
    table, report = ingest(source_of(str(folder)))
    assert table["image_id"].tolist() == ["A", "B", "C"]
    assert report["ignored_files"] == 1


@pytest.mark.parametrize(
    "broken",
    [
        "{",
        "",
        "[]",
        "\x00",
        "[" * 100_000,
        '{"name": "X"}',
        '{"name": "X", "meta": 5}',
        '{"name": null, "meta": {}}',
        '{"name": " ", "meta": {}}',
        '{"name": "X", "meta": {"clinical": {"sex": ["male"]}}}',
    ],
)
def test_a_broken_record_is_counted_and_named(tmp_path, broken):
    table, report = ingest(source_of(write_records(tmp_path / "d", *PAIR, broken)))
    assert len(table) == 2
    assert report["unreadable"]["count"] == 1
    assert report["unreadable"]["first"][0].startswith("002.json: ")
    assert report["records"] == 3


def test_broken_records_alone_are_fatal(tmp_path):
    with pytest.raises(InputError, match=r"no readable record \(the first of 2: 000\.json: "):
        ingest(source_of(write_records(tmp_path / "d", "{", "{")))


def test_control_characters_and_line_breaks_do_not_reach_the_table(tmp_path):
    table, _ = ingest(source_of(write_records(tmp_path / "d", *PAIR, record("C", diagnosis="a\r\nb\x00\ud800c"))))
    assert table["diagnosis"].tolist() == ["", "", "a b c"]


@pytest.mark.parametrize(
    "name", ["../secret", "a/../../secret", "/etc/passwd", "a\\b", "a\\b/c", "a\x00b", "..", "C:/x"]
)
def test_a_name_that_leaves_the_images_is_refused_with_its_record(tmp_path, name):
    with pytest.raises(InputError, match=r"002\.json (names the file|has the image id) ") as refused:
        ingest(source_of(write_records(tmp_path / "d", *PAIR, record(name))))
    assert repr(name)[1:-1] in str(refused.value)


def test_an_id_that_is_no_plain_name_is_refused_though_its_file_is_harmless(tmp_path):
    columns = {"image_id": "id", "label": "y", "file": "path"}
    for name in ("a\x00b", "a\\b", ".."):
        path = write_csv_lines(tmp_path / "a.csv", "id,path,y", "1,1.jpg,benign", f"{name},2.jpg,malignant")
        with pytest.raises(InputError, match=r"line 3 has the image id .* must be a plain file name"):
            ingest(source_of(path, columns=columns))


def test_a_hash_that_is_none_is_refused(tmp_path):
    with pytest.raises(InputError, match="sha256 'abc'"):
        ingest(source_of(write_records(tmp_path / "d", *PAIR, {**record("C"), "sha256": "abc"})))


def test_of_repeated_ids_the_first_is_kept_and_the_rest_counted(tmp_path):
    folder = write_records(tmp_path / "d", *PAIR, record("A"), record("A", "malignant"))
    table, report = ingest(source_of(folder))
    assert table["label"].tolist() == ["benign", "malignant"]
    assert report["duplicate_ids"] == {"dropped": 2, "conflicting": 1}
    assert report["records"] == report["rows"] + report["duplicate_ids"]["dropped"]


def test_unknown_labels_are_counted_by_value(tmp_path):
    records = (record("C", "weird"), record("D", "weird"), record("E", None), record("F", "Indeterminate/benign"))
    table, report = ingest(source_of(write_records(tmp_path / "d", *PAIR, *records)))
    assert table["label"].tolist() == ["benign", "malignant", "unknown", "unknown", "unknown", "indeterminate"]
    assert table["target"].tolist() == ["0", "1", "", "", "", ""]
    assert report["unknown_labels"] == {"weird": 2}
    assert report["label"] == {"benign": 1, "malignant": 1, "unknown": 3, "indeterminate": 1}


def test_the_users_labels_come_before_ours():
    assert label_of("benign", {"benign": "indeterminate"}) == "indeterminate"
    assert label_of("Malignant", {}) == "malignant"
    assert label_of("0", {}) is None
    assert all(key == key.lower() for key in LABELS)


def test_aidl21_ids_are_patients_only_with_their_prefix(tmp_path):
    path = write_csv_lines(
        tmp_path / "a.csv",
        AIDL21_HEADER,
        "5436e3acbae478396759f0d1,ISIC_1,30.0,torso,benign,nevus,male,0",
        "IP_5,ISIC_2,nan,torso,malignant,melanoma,female,1",
    )
    table, report = ingest(source_of(path))
    assert table["patient_id"].tolist() == ["", "IP_5"]
    assert table["age_approx"].tolist() == ["30", ""]
    assert table["file"].tolist() == ["ISIC_1.jpg", "ISIC_2.jpg"]
    assert report["format"] == "aidl21"


def test_semicolons_a_byte_order_mark_and_any_order_of_columns_are_read(tmp_path):
    path = tmp_path / "a.csv"
    header = ";".join(reversed(AIDL21_HEADER.split(",")))
    lines = [header, "1;male;melanoma;malignant;torso;30;B;IP_1", "0;male;nevus;benign;torso;30;A;IP_2"]
    path.write_text("\n".join(lines), encoding="utf-8-sig")
    table, _ = ingest(source_of(str(path)))
    assert table["patient_id"].tolist() == ["IP_2", "IP_1"]


def test_a_mapped_csv_takes_ids_with_paths_and_the_users_labels(tmp_path):
    path = write_csv_lines(tmp_path / "a.csv", "img,class,who", "x/1.PNG,sick,7", '"x/2.5",well,', "3,well,7")
    columns = {"image_id": "img", "label": "class", "patient_id": "who"}
    table, report = ingest(source_of(path, columns=columns, labels={"sick": "malignant", "well": "benign"}))
    assert table["image_id"].tolist() == ["1", "2.5", "3"]
    assert table["file"].tolist() == ["x/1.PNG", "x/2.5.jpg", "3.jpg"]
    assert table["patient_id"].tolist() == ["7", "", "7"]
    assert report["format"] == "mapped"


def test_a_mapped_file_column_names_the_file(tmp_path):
    path = write_csv_lines(tmp_path / "a.csv", "id,path,y,age", "1,p/x.tif,benign,40.0", "2,,malignant,85+")
    columns = {"image_id": "id", "label": "y", "file": "path", "age_approx": "age"}
    table, _ = ingest(source_of(path, columns=columns))
    assert table["file"].tolist() == ["p/x.tif", "2.jpg"]
    assert table["age_approx"].tolist() == ["40", "85+"]


def test_a_line_of_the_wrong_length_is_counted(tmp_path):
    path = write_csv_lines(tmp_path / "a.csv", "img,y", "1,benign", "2,malignant,extra", "", "3,malignant")
    _, report = ingest(source_of(path, columns={"image_id": "img", "label": "y"}))
    assert report["unreadable"] == {"count": 1, "first": ["line 3: 3 values for 2 columns"]}
    assert report["records"] == 3


def test_an_unsafe_file_in_a_csv_is_refused_with_its_line(tmp_path):
    path = write_csv_lines(tmp_path / "a.csv", "img,y", "1,benign", "../2.jpg,malignant")
    with pytest.raises(InputError, match=r"line 3 names the file '\.\./2\.jpg'"):
        ingest(source_of(path, columns={"image_id": "img", "label": "y"}))


def test_an_unknown_header_is_shown_with_the_formats_and_the_remedy(tmp_path):
    with pytest.raises(InputError, match=r"picture,verdict.*archive_v1|picture") as refused:
        ingest(source_of(write_csv_lines(tmp_path / "a.csv", "picture,verdict", "1,benign")))
    assert all(name in str(refused.value) for name in FORMATS)
    assert "source.columns" in str(refused.value)


def test_a_mapped_column_that_is_absent_is_named(tmp_path):
    path = write_csv_lines(tmp_path / "a.csv", "img,y", "1,benign")
    with pytest.raises(InputError, match=r"source\.columns maps picture, which .* img, y"):
        ingest(source_of(path, columns={"image_id": "picture", "label": "y"}))


def test_a_csv_that_is_no_utf8_is_one_sentence(tmp_path):
    (tmp_path / "a.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match="no CSV in UTF-8"):
        ingest(source_of(str(tmp_path / "a.csv")))


def test_a_missing_source_an_empty_folder_and_columns_for_a_folder_are_refused(tmp_path):
    with pytest.raises(InputError, match=r"source\.metadata is nowhere, which does not exist"):
        ingest(source_of("nowhere"))
    (tmp_path / "d").mkdir()
    with pytest.raises(InputError, match="has no readable record; give"):
        ingest(source_of(str(tmp_path / "d")))
    with pytest.raises(InputError, match=r"source\.columns is for a CSV"):
        ingest(source_of(str(tmp_path / "d"), columns={"image_id": "a", "label": "b"}))


@pytest.mark.parametrize(("present", "absent"), [("benign", "malignant"), ("malignant", "benign")])
def test_a_source_without_one_of_the_classes_is_refused(tmp_path, present, absent):
    folder = write_records(tmp_path / "d", record("A", present), record("B", "odd"))
    with pytest.raises(InputError, match=rf"has no {absent} row among 2 .*{present} 1.*'odd'.*source\.labels"):
        ingest(source_of(folder))


def test_the_report_keeps_the_commonest_values_and_loses_none(tmp_path):
    records = [record(f"C{number}", diagnosis=f"rare {number:02d}") for number in range(30)]
    _, report = ingest(source_of(write_records(tmp_path / "d", *PAIR, *records)))
    assert len(report["diagnosis"]) == 21
    assert sum(report["diagnosis"].values()) == 32
    assert report["diagnosis"]["(none)"] == 2


PARAMS = "source: {name: here, metadata: d, images: i, masks: null, columns: {}, labels: {}}\n"


def test_main_writes_the_same_bytes_twice(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("params.yaml").write_text(PARAMS)
    write_records(Path("d"), *PAIR)
    main()
    first = METADATA.read_bytes(), REPORT.read_bytes()
    main()
    assert (METADATA.read_bytes(), REPORT.read_bytes()) == first
    assert pd.read_csv(METADATA)["image_id"].tolist() == ["A", "B"]
    assert read_json(REPORT)["rows"] == 2


def test_a_users_mistake_is_one_line_and_exit_code_1(tmp_path):
    (tmp_path / "params.yaml").write_text(PARAMS)
    root = Path(__file__).parents[1]
    done = subprocess.run(
        [sys.executable, "-m", "pipeline.ingest"],
        cwd=tmp_path,
        env={"PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        "ingest: source.metadata is d, which does not exist; give a folder of JSON records or a CSV, "
        "or run the stage that writes it: `dvc repro`"
    ]
