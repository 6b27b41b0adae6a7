"""Metadata that came out wrong: never a traceback, never a file outside the images, never a label that nothing says."""

import json
import re
import shutil
from collections import Counter
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from random import Random
from typing import Any

import pandas as pd
import pytest

from pipeline.errors import InputError
from tests.label_oracle import UNREADABLE, of_json, of_table_row, parsed, rows_of_csv
from tests.mutations import (
    AGAIN,
    NEUTRAL,
    OF_FILES,
    OF_RECORDS,
    OF_TABLES,
    as_csv,
    as_json,
    cut,
    flipped,
    other_encoding,
)
from tests.sources import AIDL21_HEADER, ingested, record, record_v2, source_of
from tests.test_isic_properties import is_inside

TIMES = [pytest.param(1, id="quick"), pytest.param(20, marks=pytest.mark.proof, id="proof")]  # 20: 10,000 and more
TOGETHER = 20  # records in one folder

SIIM = "image_name,patient_id,sex,age_approx,anatom_site_general_challenge,diagnosis,benign_malignant,target"
ARCHIVE = "isic_id,attribution,copyright_license,age_approx,diagnosis_1,diagnosis_3,benign_malignant,image_type"
TABLES = {  # three benign and three malignant images each
    "aidl21": (
        AIDL21_HEADER,
        *("IP_1,A,30.0,torso,benign,nevus,male,0", "x,B,nan,,malignant,melanoma,,1", "y,C,5,leg,benign,nevus,,0"),
        *("IP_2,D,70,torso,malignant,melanoma,,1", "z,E,,,benign,unknown,,0", "IP_3,F,60,,malignant,melanoma,,1"),
    ),
    "siim2020": (
        SIIM,
        *("A,IP_1,male,45.0,torso,unknown,benign,0", "B,IP_1,,,,melanoma,malignant,1", "C,IP_2,,,,nevus,benign,0"),
        *("D,IP_3,,,,melanoma,malignant,1", "E,IP_3,,,,nevus,benign,0", "F,IP_4,,,,melanoma,malignant,1"),
    ),
    "ham10000": (
        "lesion_id,image_id,dx,dx_type,age,sex,localization",
        *("H,A,nv,histo,80.0,male,scalp", "H,B,mel,histo,,unknown,unknown", "H,C,df,histo,80.0,male,scalp"),
        *("I,D,bcc,histo,,,", "J,E,bkl,histo,,,", "K,F,akiec,histo,,,"),
    ),
    "isic2017": (
        "image_id,melanoma,seborrheic_keratosis",
        "A,0.0,1.0",
        "B,1,0",
        "C,0,0",
        "D,1,0",
        "E,0,1",
        "F,1.0,0.0",
    ),
    "isic2018": (
        "image,MEL,NV,BCC,AKIEC,BKL,DF,VASC",
        *("A,0,1,0,0,0,0,0", "B,1.0,0.0,0.0,0.0,0.0,0.0,0.0", "C,0,0,0,0,1,0,0"),
        *("D,0,0,1,0,0,0,0", "E,0,0,0,0,0,1,0", "F,0,0,0,1,0,0,0"),
    ),
    "isic2019": (
        "image,MEL,NV,BCC,AK,BKL,DF,VASC,SCC,UNK",
        *("A,0,1,0,0,0,0,0,0,0", "B,1,0,0,0,0,0,0,0,0", "C,0,0,0,0,1,0,0,0,0"),
        *("D,0,0,1,0,0,0,0,0,0", "E,0,0,0,0,0,1,0,0,0", "F,0,0,0,0,0,0,0,1,0"),
    ),
    "isic2024": (
        "isic_id,target,patient_id,tbp_tile_type,tbp_lv_A,attribution,copyright_license,iddx_1",
        *("A,0,IP_1,3D: XP,1.5,Clinic,CC-0,Benign", "B,1,IP_1,3D: XP,1.5,Clinic,CC-0,Malignant"),
        *("C,0,IP_2,3D: XP,2.5,Clinic,CC-0,Benign", "D,1,IP_2,3D: XP,1.5,Clinic,CC-0,Malignant"),
        *("E,0,IP_3,3D: XP,3.5,Clinic,CC-0,Benign", "F,1,IP_3,3D: XP,1.5,Clinic,CC-0,Malignant"),
    ),
    "archive_v2_csv": (
        ARCHIVE,
        *("A,Clinic; here,CC-0,45,Benign,Nevus,,dermoscopic", "B,Anonymous,CC-BY,,Malignant,Melanoma,,dermoscopic"),
        *("C,Clinic,CC-0,5,Benign,,benign,dermoscopic", "D,Clinic,CC-0,5,Malignant,,malignant,dermoscopic"),
        *("E,Clinic,CC-0,5,,nevus,benign,dermoscopic", "F,Clinic,CC-0,5,,melanoma,malignant,dermoscopic"),
    ),
    "mapped": (
        "path,id,y,age",
        *("p/a.png,A,benign,40", "p/b.png,B,malignant,40", "p/c.png,C,benign,", "p/d.png,D,malignant,5"),
        *("p/e.png,E,benign,", "p/f.png,F,malignant,1e999"),
    ),
}
COLUMNS = {"image_id": "id", "label": "y", "file": "path", "age_approx": "age"}
TRUTH = dict(zip("ABCDEF", ("benign", "malignant") * 3, strict=True))
RECORDS = (
    record("A", "malignant", diagnosis="melanoma", age_approx=55, sex="female", patient_id="IP_1"),
    record_v2(
        "A", "Malignant", diagnosis_3="Melanoma Invasive", age_approx=55, patient_id="IP_1", benign_malignant=None
    ),
    record("A", "benign", diagnosis="nevus", age_approx=55, patient_id="IP_1", lesion_id="IL_1"),
    record_v2("A", None, diagnosis="nevus", benign_malignant="benign", anatom_site_general="torso"),
)


def table_of(kind: str) -> list[list[str]]:
    return [line.split(",") for line in TABLES[kind]]


class Tally(Counter[str]):
    """How the mutants ended: rows, unreadable, refused."""

    def read(self, source: Any) -> pd.DataFrame | None:
        """The table, every file of it inside the images; None for a refusal of one line."""
        try:
            table, report = ingested(source)
        except InputError as error:
            message = str(error)
        else:
            return self.checked(table, report)
        assert message.isprintable()
        self["refused"] += 1
        return None

    def checked(self, table: pd.DataFrame, report: dict[str, Any]) -> pd.DataFrame:
        assert report["records"] == len(table) + report["unreadable"]["count"] + report["duplicate_ids"]["dropped"]
        assert all(map(is_inside, table["file"]))
        self["rows"] += len(table)
        self["unreadable"] += report["unreadable"]["count"]
        return table


def check_labels(table: pd.DataFrame, allowed: Callable[[str], frozenset[str]], shown: object) -> None:
    """Every row's label is one that its record says."""
    for row in table.itertuples():
        assert row.label in allowed(row.origin), (row, allowed(row.origin), shown)


def rows_by_line(content: bytes, header: set[str]) -> dict[int, dict[str, str]]:
    """The rows of a CSV with that header, as far as it is left, by line; read apart from the project's reader."""
    text = content.decode("utf-8-sig")
    tables = [rows_of_csv(text, separator) or [(0, [])] for separator in ",;"]
    names, rows = max((([name.strip() for name in table[0][1]], table[1:]) for table in tables), key=shared(header))
    if any(count > 1 for name, count in Counter(names).items() if name):
        return {}
    return {line: dict(zip(names, values, strict=True)) for line, values in rows if len(values) == len(names)}


def shared(header: set[str]) -> Callable[[tuple[list[str], Any]], int]:
    return lambda table: len(header & set(table[0]))


def check_csv(tally: Tally, path: Path, content: bytes, kind: str) -> pd.DataFrame | None:
    path.write_bytes(content)
    table = tally.read(source_of(path, columns=COLUMNS if kind == "mapped" else {}))
    if table is None:
        return None
    rows = rows_by_line(content, set(table_of(kind)[0]))

    def allowed(origin: str) -> frozenset[str]:
        found = rows.get(int(re.fullmatch(r"a\.csv line (\d+)", origin)[1]))
        return of_table_row(kind, found) if found else UNREADABLE

    check_labels(table, allowed, content[:2000])
    return table


@pytest.mark.parametrize("times", TIMES)
def test_mutated_headers_and_rows_of_tables(tmp_path, times):
    rng, tally, count = Random(1), Tally(), 0
    for _ in range(times):
        for kind in TABLES:
            for mutate in (*OF_TABLES, *NEUTRAL):
                changed = mutate(rng, table_of(kind))
                table = check_csv(tally, tmp_path / "a.csv", as_csv(rng, changed), kind)
                count += 1
                if mutate in NEUTRAL:
                    assert dict(zip(table["image_id"], table["label"], strict=True)) == TRUTH
    assert count >= 140 * times
    assert tally["rows"] > 2 * count
    assert min(tally["refused"], tally["unreadable"]) > count / 30, tally


@pytest.mark.parametrize("times", TIMES)
def test_damaged_files_of_tables(tmp_path, times):
    rng, tally, count = Random(2), Tally(), 0
    for _ in range(times):
        for kind in TABLES:
            for damage in (*OF_FILES, *OF_FILES):
                content = damage(rng, as_csv(rng, table_of(kind)))
                check_csv(tally, tmp_path / "a.csv", content, kind)
                count += 1
    assert count >= 140 * times
    assert tally["rows"] > count
    assert min(tally["refused"], tally["unreadable"]) > count / 30, tally


def allowed_of_records(contents: dict[str, bytes]) -> Callable[[str], frozenset[str]]:
    """What each record of some files may become, by its origin."""

    def allowed(origin: str) -> frozenset[str]:
        name, _, number = re.fullmatch(r"(\S+)( (?:record|line) (\d+))?", origin).groups()
        try:
            if name.endswith(".jsonl"):
                return of_json(parsed(BytesIO(contents[name]).readlines()[int(number) - 1]))
            content = parsed(contents[name])
        except (ValueError, RecursionError):
            return UNREADABLE
        several = content.get("results") if isinstance(content, dict) else content
        return of_json(several[int(number) - 1] if number else content)

    return allowed


def check_records(tally: Tally, folder: Path, contents: dict[str, bytes]) -> None:
    """All in one folder beside two that are whole; each on its own where together they are refused."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    whole = {"benign.json": record("Y"), "malignant.json": record("Z", "malignant")}
    contents = {**{name: json.dumps(content).encode() for name, content in whole.items()}, **contents}
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    table = tally.read(source_of(folder))
    if table is not None:
        check_labels(table, allowed_of_records(contents), contents)
        assert {"Y", "Z"} <= set(table["image_id"])
    elif len(contents) > len(whole) + 1:
        for name in contents.keys() - whole.keys():
            check_records(tally, folder, {name: contents[name]})


def numbered(rng: Random, number: int) -> dict[str, Any]:
    """One of RECORDS as an image of its own."""
    chosen = rng.choice(RECORDS)
    return {**chosen, "name" if "name" in chosen else "isic_id": f"ISIC_{number}"}


@pytest.mark.parametrize("times", TIMES)
def test_mutated_records(tmp_path, times):
    rng, tally, count = Random(3), Tally(), 0
    for mutate in OF_RECORDS:
        for _ in range(times):
            contents = {}
            for number in range(TOGETHER):
                changed = mutate(rng, numbered(rng, number))
                if rng.random() < 0.2:
                    changed = rng.choice(AGAIN)(rng, changed)
                contents[f"{number}.json"] = as_json(changed).encode()
            check_records(tally, tmp_path / "d", contents)
            count += len(contents)
    assert count >= 200 * times
    assert tally["rows"] > count / 2
    assert min(tally["refused"], tally["unreadable"]) > count / 30, tally


def layouts(records: list[dict[str, Any]]) -> dict[str, bytes]:
    texts = [json.dumps(each) for each in records]
    page = {"count": len(texts), "next": None, "results": records}
    return {
        "a.json": texts[0].encode(),
        "array.json": f"[{', '.join(texts)}]".encode(),
        "page.json": json.dumps(page, indent=1).encode(),
        "lines.jsonl": "\n".join(texts).encode(),
    }


@pytest.mark.parametrize("times", TIMES)
def test_damaged_files_of_records(tmp_path, times):
    rng, tally, count = Random(4), Tally(), 0
    for _ in range(times):
        for damage in (*OF_FILES, *OF_FILES):
            for name, content in layouts([numbered(rng, number) for number in range(5)]).items():
                check_records(tally, tmp_path / "d", {name: damage(rng, content)})
                count += 1
    assert count >= 60 * times
    assert tally["rows"] > 2 * count
    assert tally["unreadable"] > count / 10, tally


def write_parquet(rng: Random, path: Path, table: list[list[str]]) -> None:
    """As parquet with checksums, flags as text, numbers or codes; empty is null."""
    arrow = pytest.importorskip("pyarrow", reason="parquet files take pyarrow, an optional extra")
    from pyarrow.parquet import write_table

    header, *rows = table
    columns = [[value.replace("\ud800", "?") or None for value in column] for column in zip(*rows, strict=True)]
    for at, column in enumerate(columns):
        if {"0", "1", None}.issuperset(column):
            kind = rng.choice((str, int, float))
            columns[at] = [None if value is None else kind(value) for value in column]
    arrays = [arrow.array(column) for column in columns]
    arrays = [array.dictionary_encode() if rng.random() < 0.3 else array for array in arrays]
    options = {"row_group_size": rng.choice((2, 100)), "compression": rng.choice(("none", "snappy"))}
    write_table(arrow.Table.from_arrays(arrays, names=header), path, write_page_checksum=True, **options)


def check_parquet(tally: Tally, path: Path, kind: str, table: list[list[str]]) -> None:
    """What is in the file may have any row, or a refusal; a row must be one of the table's."""
    found = tally.read(source_of(path, columns=COLUMNS if kind == "mapped" else {}))
    if found is None:
        return
    header, *rows = table
    names = [name.strip() for name in header]

    def allowed(origin: str) -> frozenset[str]:
        number = int(re.fullmatch(r"a\.parquet row (\d+)", origin)[1])
        return of_table_row(kind, dict(zip(names, rows[number - 1], strict=True)))

    check_labels(found, allowed, table)


@pytest.mark.parametrize("times", TIMES)
def test_mutated_and_damaged_parquet(tmp_path, times):
    rng, tally, count = Random(5), Tally(), 0
    path = tmp_path / "a.parquet"
    for _ in range(times):
        for kind in TABLES:
            for mutate in OF_TABLES:
                changed = mutate(rng, table_of(kind))
                if len({len(row) for row in changed}) == 1:
                    write_parquet(rng, path, changed)
                    check_parquet(tally, path, kind, changed)
                    count += 1
            for damage in (cut, flipped, flipped, other_encoding):
                write_parquet(rng, path, table_of(kind))
                path.write_bytes(damage(rng, path.read_bytes()))
                check_parquet(tally, path, kind, table_of(kind))
                count += 1
    assert count >= 120 * times
    assert tally["rows"] > 2 * count
    assert min(tally["refused"], tally["unreadable"]) > count / 30, tally


@pytest.mark.parametrize("name", ["a.csv", "a.json", "a.jsonl", "a.parquet"])
def test_a_folder_in_the_place_of_a_file(tmp_path, name):
    (tmp_path / name).mkdir()
    for place in (tmp_path / name, tmp_path):
        with pytest.raises(InputError, match="no readable record"):
            ingested(source_of(place))
