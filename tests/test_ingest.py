import json
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from pipeline import read_source
from pipeline.errors import InputError
from pipeline.ingest import METADATA, REPORT, main
from pipeline.isic.vocabulary import LABELS, label_of
from pipeline.merging import COLUMNS
from pipeline.store import read_json
from tests.sources import PAIR, ingested, record, source_of, write_csv_lines, write_records


def test_an_archive_record_becomes_the_row_that_it_describes(tmp_path):
    full = record("ISIC_7", "malignant", diagnosis="melanoma", age_approx=55, sex="female", patient_id="IP_1")
    full["meta"]["clinical"].update(lesion_id="IL_2", anatom_site_general="torso")
    full.update(sha256="AB" * 32, licence="CC-0", attribution="Anonymous")
    table, _ = ingested(source_of(write_records(tmp_path / "d", full, record("ISIC_6"))))
    assert list(table.columns) == COLUMNS
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
        "official_split": "",
        "origin": "000.json",
        "dataset": "here",
    }


def test_the_archives_data_set_gives_source_and_licence(tmp_path):
    full = {**record("A"), "dataset": {"name": "UDA-1", "license": "CC-0"}}
    table, _ = ingested(source_of(write_records(tmp_path / "d", full, record("B", "malignant"))))
    assert table["source"].tolist() == ["UDA-1", "here"]
    assert table["licence"].tolist() == ["CC-0", ""]


@pytest.mark.parametrize("mark", ["synthetic", " Synthetic"])
def test_the_archives_synthetic_mark_is_the_image_type(tmp_path, mark):
    marked = record("C")
    marked["meta"]["acquisition"]["image_manipulation"] = mark
    table, _ = ingested(source_of(write_records(tmp_path / "d", *PAIR, marked)))
    assert table["image_type"].tolist() == ["dermoscopic", "dermoscopic", "synthetic"]


def test_records_without_extension_count_and_hidden_or_other_files_do_not(tmp_path):
    folder = Path(write_records(tmp_path / "d", *PAIR))
    (folder / "ISIC_9").write_text(json.dumps(record("C")))
    (folder / ".hidden.json").write_text(json.dumps(record("D")))
    (folder / "notes.txt").write_text("none")
    (folder / "deeper").mkdir()
    table, report = ingested(source_of(str(folder)))
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
    table, report = ingested(source_of(write_records(tmp_path / "d", *PAIR, broken)))
    assert len(table) == 2
    assert report["unreadable"]["count"] == 1
    assert report["unreadable"]["first"][0].startswith("002.json: ")
    assert report["records"] == 3


def test_broken_records_alone_are_fatal(tmp_path):
    with pytest.raises(InputError, match=r"no readable record \(the first of 2: 000\.json: "):
        ingested(source_of(write_records(tmp_path / "d", "{", "{")))


def test_control_characters_and_line_breaks_do_not_reach_the_table(tmp_path):
    table, _ = ingested(source_of(write_records(tmp_path / "d", *PAIR, record("C", diagnosis="a\r\nb\x00\ud800c"))))
    assert table["diagnosis"].tolist() == ["", "", "a b c"]


@pytest.mark.parametrize(
    "name",
    ["../secret", "a/../../secret", "/etc/passwd", "a\\b", "a\\b/c", "a\x00b", "a\x00/b", "..", ".", "C:/x"],
)
def test_a_name_that_leaves_the_images_is_refused_with_its_record(tmp_path, name):
    with pytest.raises(InputError, match=r"002\.json (names the file|has the image id) ") as refused:
        ingested(source_of(write_records(tmp_path / "d", *PAIR, record(name))))
    assert repr(name)[1:-1] in str(refused.value)


def test_an_id_that_is_no_plain_name_is_refused_though_its_file_is_harmless(tmp_path):
    columns = {"image_id": "id", "label": "y", "file": "path"}
    for name in ("a\x00b", "a\\b", ".."):
        path = write_csv_lines(tmp_path / "a.csv", "id,path,y", "1,1.jpg,benign", f"{name},2.jpg,malignant")
        with pytest.raises(InputError, match=r"line 3 has the image id .* must be a plain file name"):
            ingested(source_of(path, columns=columns))


def test_a_hash_that_is_none_is_refused(tmp_path):
    with pytest.raises(InputError, match="sha256 'abc'"):
        ingested(source_of(write_records(tmp_path / "d", *PAIR, {**record("C"), "sha256": "abc"})))


def test_of_repeated_ids_the_first_is_kept_and_the_rest_counted(tmp_path):
    folder = write_records(tmp_path / "d", *PAIR, record("A"), record("A", "malignant"))
    table, report = ingested(source_of(folder))
    assert table["label"].tolist() == ["benign", "malignant"]
    assert report["duplicate_ids"] == {
        "dropped": 2,
        "conflicting": 1,
        "first": [{"image_id": "A", "column": "label", "kept": "benign", "dropped": "malignant"}],
    }
    assert report["records"] == report["rows"] + report["duplicate_ids"]["dropped"]


def test_conflicts_are_told_from_repetitions_and_the_first_twenty_are_listed(tmp_path):
    again = [record(f"C{number}", sex="male", age_approx=30) for number in range(15)]
    other = [record(f"C{number}", sex="female", age_approx=40) for number in range(15)]
    _, report = ingested(source_of(write_records(tmp_path / "d", *PAIR, *again, *again, *other)))
    assert report["duplicate_ids"]["dropped"] == 30
    assert report["duplicate_ids"]["conflicting"] == 15
    assert len(report["duplicate_ids"]["first"]) == 20
    assert report["duplicate_ids"]["first"][1] == {
        "image_id": "C0",
        "column": "age_approx",
        "kept": "30",
        "dropped": "40",
    }


def test_unknown_is_no_value_of_what_a_record_may_leave_open(tmp_path):
    unknown = record("C", sex="unknown", age_approx="Unknown", diagnosis="unknown", anatom_site_general="unknown")
    table, _ = ingested(source_of(write_records(tmp_path / "d", *PAIR, unknown)))
    assert table.loc[2, ["sex", "age_approx", "diagnosis", "anatom_site"]].tolist() == ["", "", "", ""]


def test_unknown_labels_are_counted_by_value(tmp_path):
    records = (record("C", "weird"), record("D", "weird"), record("E", None), record("F", "Indeterminate/benign"))
    table, report = ingested(source_of(write_records(tmp_path / "d", *PAIR, *records)))
    assert table["label"].tolist() == ["benign", "malignant", "unknown", "unknown", "unknown", "indeterminate"]
    assert table["target"].tolist() == ["0", "1", "", "", "", ""]
    assert report["unknown_labels"] == {"weird": 2}
    assert report["label"] == {"benign": 1, "malignant": 1, "unknown": 3, "indeterminate": 1}


def test_the_users_labels_come_before_ours():
    assert label_of("benign", {"benign": "indeterminate"}) == "indeterminate"
    assert label_of("Malignant", {}) == "malignant"
    assert label_of("0", {}) is None
    assert all(key == key.lower() for key in LABELS)


def test_a_missing_source_an_empty_folder_and_columns_for_a_folder_are_refused(tmp_path):
    with pytest.raises(InputError, match=r"metadata is nowhere, which does not exist"):
        ingested(source_of("nowhere"))
    (tmp_path / "d").mkdir()
    with pytest.raises(InputError, match="has no readable record; give"):
        ingested(source_of(str(tmp_path / "d")))
    with pytest.raises(InputError, match=r"columns is for tables"):
        ingested(source_of(str(tmp_path / "d"), columns={"image_id": "a", "label": "b"}))


@pytest.mark.parametrize(("present", "absent"), [("benign", "malignant"), ("malignant", "benign")])
def test_a_source_without_one_of_the_classes_is_refused(tmp_path, present, absent):
    folder = write_records(tmp_path / "d", record("A", present), record("B", "odd"))
    with pytest.raises(InputError, match=rf"have no {absent} row among 2 .*{present} 1.*'odd'.*source.s labels"):
        ingested(source_of(folder))


def test_the_report_keeps_the_commonest_values_and_loses_none(tmp_path):
    records = [record(f"C{number}", diagnosis=f"rare {number:02d}") for number in range(30)]
    _, report = ingested(source_of(write_records(tmp_path / "d", *PAIR, *records)))
    assert len(report["diagnosis"]) == 21
    assert sum(report["diagnosis"].values()) == 32
    assert report["diagnosis"]["(none)"] == 2


def test_labels_are_counted_by_what_the_figures_show(tmp_path):
    ages = [0, 9.5, 10, 119, 120, -1, "85+", None]
    records = [record(f"C{number}", age_approx=age, sex="male") for number, age in enumerate(ages)]
    _, report = ingested(source_of(write_records(tmp_path / "d", *PAIR, *records)))
    counts = report["by_label"]
    assert sorted(counts) == ["age_group", "anatom_site", "diagnosis", "sex", "source"]
    assert counts["sex"] == {"male": {"benign": 8, "malignant": 0}, "(none)": {"benign": 1, "malignant": 1}}
    assert {group: values["benign"] for group, values in counts["age_group"].items()} == {
        "0-9": 2,
        "10-19": 1,
        "110-119": 1,
        "(none)": 5,
    }
    assert counts["source"] == {"here": {"benign": 9, "malignant": 1}}


def test_labels_of_rare_values_are_counted_together_and_none_is_lost(tmp_path):
    records = [record(f"C{number}", "malignant", diagnosis=f"rare {number:02d}") for number in range(30)]
    _, report = ingested(source_of(write_records(tmp_path / "d", *PAIR, *records)))
    counts = report["by_label"]["diagnosis"]
    assert len(counts) == 13
    assert counts["(other)"] == {"benign": 0, "malignant": 19}
    assert sum(sum(values.values()) for values in counts.values()) == 32


def test_a_source_without_any_label_is_told_so(tmp_path):
    with pytest.raises(InputError, match="have no label in any of their 2 rows"):
        ingested(source_of(write_records(tmp_path / "d", record("A", None), record("B", None))))


PARAMS = "source: {here: {metadata: d, images: i, masks: null, columns: {}, labels: {}}}\n"


def test_main_writes_the_same_bytes_twice(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("params.yaml").write_text(PARAMS)
    write_records(Path("d"), *PAIR)
    read_source.main("here")
    main()
    first = METADATA.read_bytes(), REPORT.read_bytes()
    read_source.main("here")
    main()
    assert (METADATA.read_bytes(), REPORT.read_bytes()) == first
    assert pd.read_csv(METADATA)["image_id"].tolist() == ["A", "B"]
    assert read_json(REPORT)["rows"] == 2


def test_a_users_mistake_is_one_line_and_exit_code_1(tmp_path):
    (tmp_path / "params.yaml").write_text(PARAMS)
    root = Path(__file__).parents[1]
    done = subprocess.run(
        [sys.executable, "-m", "pipeline.read_source", "--set", "here"],
        cwd=tmp_path,
        env={"PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        "read_source@here: source.here: metadata is d, which does not exist; give a folder of JSON records or a table, "
        "or run the stage that writes it: `dvc repro`"
    ]
