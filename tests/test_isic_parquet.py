"""A parquet file becomes the rows that the same table as a CSV becomes."""

import csv
import sys
from pathlib import Path

import pandas as pd
import pytest

from pipeline.errors import InputError
from pipeline.isic import parquet
from tests.sources import ingested, source_of, write_csv_lines

SNAPSHOT = {  # the archive's own export has these columns, of these types and in this order
    "isic_id": ["ISIC_1", "ISIC_2", "ISIC_3"],
    "attribution": ["A clinic", "Anonymous", "A clinic"],
    "copyright_license": ["CC-0", "CC-BY", None],
    "patient_id": ["IP_1", None, "IP_3"],
    "age_approx": [55, None, 60],
    "sex": ["male", None, "female"],
    "lesion_id": ["IL_1", None, None],
    "clin_size_long_diam_mm": [3.0, 3.25, None],
    "melanocytic": [True, False, None],
    "anatom_site_general": [None, "head/neck", None],
    "anatom_site_1": ["Trunk", "Head", None],
    "diagnosis_1": ["Malignant", "Benign", "Indeterminate"],
    "diagnosis_3": ["Melanoma Invasive", "Nevus", None],
    "mel_ulcer": [None, None, None],
    "image_type": ["dermoscopic", "TBP tile: close-up", "dermoscopic"],
    "tbp_tile_type": [None, "3D: XP", None],
    "image_manipulation": [None, None, "synthetic"],
}


@pytest.fixture
def arrow():
    return pytest.importorskip("pyarrow", reason="parquet files take pyarrow, an optional extra")


def write_parquet(arrow, path: Path, columns: dict[str, list], **options: object) -> str:
    from pyarrow.parquet import write_table

    path.parent.mkdir(exist_ok=True)
    write_table(arrow.table(columns), path, **options)
    return str(path)


def as_csv(path: Path, columns: dict[str, list]) -> str:
    with open(path, "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerows([columns, *zip(*columns.values(), strict=True)])
    return str(path)


def rows_of(path: object, **changes: object) -> pd.DataFrame:
    return ingested(source_of(path, **changes))[0].drop(columns="origin")


@pytest.mark.parametrize("row_group_size", [1, 100])
def test_the_archives_snapshot_and_the_same_as_a_csv_are_the_same_rows(tmp_path, arrow, row_group_size):
    path = write_parquet(arrow, tmp_path / "a.PARQUET", SNAPSHOT, row_group_size=row_group_size)
    table, report = ingested(source_of(path))
    assert report["format"] == "archive_v2_csv"
    assert table["origin"].tolist() == ["a.PARQUET row 1", "a.PARQUET row 2", "a.PARQUET row 3"]
    assert table["label"].tolist() == ["malignant", "benign", "indeterminate"]
    assert table["image_type"].tolist() == ["dermoscopic", "TBP tile: close-up", "synthetic"]
    assert table["age_approx"].tolist() == ["55", "", "60"]
    pd.testing.assert_frame_equal(table.drop(columns="origin"), rows_of(as_csv(tmp_path / "a.csv", SNAPSHOT)))


def test_values_are_written_as_in_a_csv(tmp_path, arrow):
    columns = {"whole": [55.0, None], "part": [0.5, float("nan")], "yes": [True, None], "word": ["a", None]}
    path = Path(write_parquet(arrow, tmp_path / "a.parquet", columns))
    lines = [(0, ["whole", "part", "yes", "word"]), (1, ["55", "0.5", "True", "a"]), (2, ["", "nan", "", ""])]
    assert list(parquet.lines_of(path)) == lines


def test_rows_are_read_in_batches(tmp_path, arrow, monkeypatch):
    monkeypatch.setattr(parquet, "BATCH", 2)
    path = Path(write_parquet(arrow, tmp_path / "a.parquet", {"n": list(range(5))}))
    assert list(parquet.lines_of(path)) == [(0, ["n"]), *((n + 1, [str(n)]) for n in range(5))]


def test_columns_of_lists_are_left_out(tmp_path, arrow):
    columns = {**SNAPSHOT, "embedding": [[1.0], [2.0], []], "image": [{"bytes": b"\xff"}, None, None]}
    path = write_parquet(arrow, tmp_path / "a.parquet", columns)
    pd.testing.assert_frame_equal(rows_of(path), rows_of(write_parquet(arrow, tmp_path / "b.parquet", SNAPSHOT)))


def test_a_folder_of_parquet_files_is_read_as_one_table(tmp_path, arrow):
    for number in range(3):
        rows = {name: values[number : number + 1] for name, values in SNAPSHOT.items()}
        write_parquet(arrow, tmp_path / "d" / f"{number}.parquet", rows)
    whole = rows_of(write_parquet(arrow, tmp_path / "a.parquet", SNAPSHOT))
    pd.testing.assert_frame_equal(rows_of(tmp_path / "d"), whole)


def test_a_parquet_file_of_other_columns_is_mapped(tmp_path, arrow):
    path = write_parquet(arrow, tmp_path / "a.parquet", {"img": [1, 2], "y": [False, True], "age": [40.0, None]})
    columns = {"image_id": "img", "label": "y", "age_approx": "age"}
    table = rows_of(path, columns=columns, labels={"False": "benign", "True": "malignant"})
    assert table["file"].tolist() == ["1.jpg", "2.jpg"]
    assert table["label"].tolist() == ["benign", "malignant"]
    assert table["age_approx"].tolist() == ["40", ""]


@pytest.mark.parametrize("content", [b"", b"isic_id,attribution\n", b"PAR1" * 9])
def test_what_is_no_parquet_is_refused_in_one_line(tmp_path, arrow, content):
    (tmp_path / "a.parquet").write_bytes(content)
    with pytest.raises(
        InputError, match=r"a\.parquet cannot be read as parquet: .*; copy or export it again"
    ) as refused:
        ingested(source_of(tmp_path / "a.parquet"))
    assert len(str(refused.value).splitlines()) == 1


def test_without_pyarrow_the_remedy_is_told(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    (tmp_path / "a.parquet").write_bytes(b"PAR1")
    with pytest.raises(InputError, match=r"a\.parquet is a parquet file, which takes pyarrow to read; pip install"):
        ingested(source_of(tmp_path / "a.parquet"))


def test_the_archives_own_table_is_not_taken_for_isic_2024s(tmp_path):
    header = "isic_id,attribution,copyright_license,diagnosis_1,image_type,tbp_tile_type"
    lines = ["A,Clinic,CC-0,Benign,TBP tile: close-up,3D: XP", "B,Clinic,CC-0,Malignant,dermoscopic,"]
    table, report = ingested(source_of(write_csv_lines(tmp_path / "a.csv", header, *lines)))
    assert report["format"] == "archive_v2_csv"
    assert table["label"].tolist() == ["benign", "malignant"]
