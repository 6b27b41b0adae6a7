import pytest

from pipeline.errors import InputError
from pipeline.isic import FORMATS
from tests.sources import AIDL21_HEADER, ingested, record, source_of, write_csv_lines, write_records

TRUTH_2017 = "image_id,melanoma,seborrheic_keratosis"
AGES_2017 = "image_id,age_approximate,sex"
MAPPED = {"image_id": "img", "label": "y"}


def test_aidl21_ids_with_their_prefix_are_patients_of_the_challenge(tmp_path):
    path = write_csv_lines(
        tmp_path / "a.csv",
        AIDL21_HEADER,
        "5436e3acbae478396759f0d1,ISIC_1,30.0,torso,benign,nevus,male,0",
        "IP_5,ISIC_2,nan,torso,malignant,melanoma,female,1",
    )
    table, report = ingested(source_of(path))
    assert table["patient_id"].tolist() == ["", "IP_5"]
    assert table["source"].tolist() == ["ISIC archive", "SIIM-ISIC 2020"]
    assert table["age_approx"].tolist() == ["30", ""]
    assert table["file"].tolist() == ["ISIC_1.jpg", "ISIC_2.jpg"]
    assert report["format"] == "aidl21"


@pytest.mark.parametrize(("word", "target"), [("benign", "1"), ("malignant", "0.0")])
def test_a_row_whose_two_labels_contradict_each_other_is_unreadable(tmp_path, word, target):
    lines = ["IP_1,A,30,torso,benign,nevus,male,0", "IP_1,B,30,torso,malignant,melanoma,male,1"]
    path = write_csv_lines(tmp_path / "a.csv", AIDL21_HEADER, *lines, f"IP_1,C,30,torso,{word},,male,{target}")
    table, report = ingested(source_of(path))
    assert table["image_id"].tolist() == ["A", "B"]
    assert report["unreadable"]["first"] == [f"a.csv line 4: one field says {word!r} and another {target!r}"]


def test_after_a_lost_quote_no_row_goes_on_in_another(tmp_path):
    header = "isic_id,attribution,copyright_license,diagnosis_1"
    lines = ['A,"A clinic,CC-0,Benign', 'B,"Anonymous",CC-0,Malignant', "C,Anonymous,CC-0,Benign"]
    with pytest.raises(InputError, match=r"a\.csv is no CSV in UTF-8 below line 1: "):
        ingested(source_of(write_csv_lines(tmp_path / "a.csv", header, *lines)))


def test_semicolons_a_byte_order_mark_and_any_order_of_columns_are_read(tmp_path):
    path = tmp_path / "a.csv"
    header = ";".join(reversed(AIDL21_HEADER.split(",")))
    lines = [header, "1;male;melanoma;malignant;torso;30;B;IP_1", "0;male;nevus;benign;torso;30;A;IP_2"]
    path.write_text("\n".join(lines), encoding="utf-8-sig")
    table, _ = ingested(source_of(str(path)))
    assert table["patient_id"].tolist() == ["IP_2", "IP_1"]


def test_a_mapped_csv_takes_ids_with_paths_and_the_users_labels(tmp_path):
    path = write_csv_lines(tmp_path / "a.csv", "img,class,who", "x/1.PNG,sick,7", '"x/2.5",well,', "3,well,7")
    columns = {"image_id": "img", "label": "class", "patient_id": "who"}
    table, report = ingested(source_of(path, columns=columns, labels={"sick": "malignant", "well": "benign"}))
    assert table["image_id"].tolist() == ["1", "2.5", "3"]
    assert table["file"].tolist() == ["x/1.PNG", "x/2.5.jpg", "3.jpg"]
    assert table["patient_id"].tolist() == ["7", "", "7"]
    assert report["format"] == "mapped"


def test_a_mapped_file_column_names_the_file(tmp_path):
    path = write_csv_lines(tmp_path / "a.csv", "id,path,y,age", "1,p/x.tif,benign,40.0", "2,,malignant,85+")
    columns = {"image_id": "id", "label": "y", "file": "path", "age_approx": "age"}
    table, _ = ingested(source_of(path, columns=columns))
    assert table["file"].tolist() == ["p/x.tif", "2.jpg"]
    assert table["age_approx"].tolist() == ["40", "85+"]


def test_a_line_of_the_wrong_length_is_counted(tmp_path):
    path = write_csv_lines(tmp_path / "a.csv", "img,y", "1,benign", "2,malignant,extra", "", "3,malignant")
    _, report = ingested(source_of(path, columns={"image_id": "img", "label": "y"}))
    assert report["unreadable"] == {"count": 1, "first": ["a.csv line 3: 3 values for 2 columns"]}
    assert report["records"] == 3


def test_an_unsafe_file_in_a_csv_is_refused_with_its_line(tmp_path):
    path = write_csv_lines(tmp_path / "a.csv", "img,y", "1,benign", "../2.jpg,malignant")
    with pytest.raises(InputError, match=r"line 3 names the file '\.\./2\.jpg'"):
        ingested(source_of(path, columns={"image_id": "img", "label": "y"}))


def test_an_unknown_header_is_shown_with_the_formats_and_the_remedy(tmp_path):
    with pytest.raises(InputError, match=r"picture,verdict.*archive_v1|picture") as refused:
        ingested(source_of(write_csv_lines(tmp_path / "a.csv", "picture,verdict", "1,benign")))
    assert all(name in str(refused.value) for name in FORMATS)
    assert "source's columns" in str(refused.value)


def test_a_mapped_column_that_is_absent_is_named(tmp_path):
    path = write_csv_lines(tmp_path / "a.csv", "img,y", "1,benign")
    with pytest.raises(InputError, match=r"columns maps picture, which .* 'img, y'"):
        ingested(source_of(path, columns={"image_id": "picture", "label": "y"}))


def test_a_csv_that_is_no_utf8_is_one_sentence(tmp_path):
    (tmp_path / "a.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match="no CSV in UTF-8"):
        ingested(source_of(str(tmp_path / "a.csv")))


def test_a_column_that_occurs_twice_is_refused(tmp_path):
    path = write_csv_lines(tmp_path / "a.csv", "img,y,y,,", "1,benign,benign,,")
    with pytest.raises(InputError, match="has 2 columns 'y'"):
        ingested(source_of(path, columns=MAPPED))


def test_a_quoted_header_and_values_may_span_lines(tmp_path):
    path = write_csv_lines(tmp_path / "a.csv", '"img","y","a', 'note"', '1,benign,"two', 'lines"', "2,malignant,")
    table, report = ingested(source_of(path, columns=MAPPED))
    assert table["image_id"].tolist() == ["1", "2"]
    assert report["records"] == 2


@pytest.mark.parametrize("ends", ["\r\n", "\r"])
def test_any_line_ends_are_read(tmp_path, ends):
    (tmp_path / "a.csv").write_bytes(ends.join(["img,y", "1,benign", "2,malignant"]).encode())
    table, _ = ingested(source_of(tmp_path / "a.csv", columns=MAPPED))
    assert table["image_id"].tolist() == ["1", "2"]


def test_official_splits_are_read_in_any_spelling_and_others_counted(tmp_path):
    splits = ["Training", "train", "VALID", "val", "validation", "test", "Testing", "extra", ""]
    lines = [f"{number},{'benign' if number else 'malignant'},{split}" for number, split in enumerate(splits)]
    path = write_csv_lines(tmp_path / "a.csv", "img,y,part", *lines)
    table, report = ingested(source_of(path, columns={**MAPPED, "official_split": "part"}))
    assert table["official_split"].tolist() == ["train", "train", "val", "val", "val", "test", "test", "", ""]
    assert report["official_split"] == {"train": 2, "val": 3, "test": 2, "extra": 1, "(none)": 1}


def test_a_folder_of_csvs_of_one_format_is_one_table_with_its_details_and_splits(tmp_path):
    write_csv_lines(tmp_path / "d/ISIC-2017_Training_Part3_GroundTruth.csv", TRUTH_2017, "A,1.0,0.0", "B,0.0,1.0")
    write_csv_lines(tmp_path / "d/ISIC-2017_Test_v2_Part3_GroundTruth.csv", TRUTH_2017, "C,0,0")
    write_csv_lines(tmp_path / "d/ages.csv", AGES_2017, "A,55,female", "C,unknown,male", "X,40,male", "A,60,male")
    (tmp_path / "d/LICENSE").write_text("CC-0")
    table, report = ingested(source_of(tmp_path / "d"))
    assert table["label"].tolist() == ["malignant", "benign", "benign"]
    assert table["diagnosis"].tolist() == ["melanoma", "seborrheic keratosis", "nevus"]
    assert table["age_approx"].tolist() == ["55", "", ""]
    assert table["sex"].tolist() == ["female", "", "male"]
    assert table["official_split"].tolist() == ["train", "train", "test"]
    assert report["joined"] == {"records": 4, "repeated": 1, "unmatched": 1}
    assert (report["records"], report["ignored_files"]) == (3, 1)


def test_one_csv_is_read_alone_whatever_lies_beside_it(tmp_path):
    path = write_csv_lines(tmp_path / "ISIC-2017_Validation_Part3_GroundTruth.csv", TRUTH_2017, "A,1,0", "B,0,1")
    write_csv_lines(tmp_path / "ages.csv", AGES_2017, "A,55,female")
    table, report = ingested(source_of(path))
    assert table["age_approx"].tolist() == ["", ""]
    assert table["official_split"].tolist() == ["val", "val"]
    assert report["joined"] == {}


def test_a_broken_line_of_a_folder_is_named_with_its_file(tmp_path):
    write_csv_lines(tmp_path / "d/a.csv", TRUTH_2017, "A,1,0", "B,0,0", "C,1,1", "D,0.5,0")
    write_csv_lines(tmp_path / "d/b.csv", AGES_2017, "A,55")
    _, report = ingested(source_of(tmp_path / "d"))
    assert report["unreadable"]["first"] == [
        "b.csv line 2: 2 values for 3 columns",
        "a.csv line 4: melanoma and seborrheic_keratosis are both 1",
        "a.csv line 5: expected 0 or 1, got '0.5'",
    ]


def test_csvs_of_several_formats_are_refused_with_an_example_of_each(tmp_path):
    write_csv_lines(tmp_path / "d/a.csv", TRUTH_2017, "A,1,0")
    write_csv_lines(tmp_path / "d/b.csv", AIDL21_HEADER)
    with pytest.raises(InputError, match=r"several formats: 'b\.csv' \(aidl21\), 'a\.csv' \(isic2017\)"):
        ingested(source_of(tmp_path / "d"))


def test_csvs_and_records_in_one_folder_are_refused(tmp_path):
    write_records(tmp_path / "d", record("A"))
    write_csv_lines(tmp_path / "d/a.csv", TRUTH_2017, "A,1,0")
    with pytest.raises(InputError, match=r"both tables \('a\.csv'\) and JSON records \('000\.json'\)"):
        ingested(source_of(tmp_path / "d"))


def test_a_table_without_labels_is_told_where_it_belongs(tmp_path):
    with pytest.raises(InputError, match="goes beside a ground truth of isic2017: give a folder with both"):
        ingested(source_of(write_csv_lines(tmp_path / "ages.csv", AGES_2017, "A,55,female")))


def test_a_stray_csv_in_a_folder_is_named(tmp_path):
    write_csv_lines(tmp_path / "d/a.csv", TRUTH_2017, "A,1,0", "B,0,0")
    write_csv_lines(tmp_path / "d/stray.csv", "picture,verdict", "1,benign")
    with pytest.raises(InputError, match=r"stray\.csv has the columns 'picture, verdict', no known format"):
        ingested(source_of(tmp_path / "d"))


def test_a_folder_of_csvs_may_be_mapped(tmp_path):
    write_csv_lines(tmp_path / "d/a.csv", "img,y", "1,benign")
    write_csv_lines(tmp_path / "d/b.csv", "y;img", "malignant;2")
    table, _ = ingested(source_of(tmp_path / "d", columns=MAPPED))
    assert table["label"].tolist() == ["benign", "malignant"]
