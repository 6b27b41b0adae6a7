"""Whatever a source of metadata holds, it becomes a table in which every record is accounted for, or one sentence."""

import csv
import json
import math
import ntpath
import os
import posixpath
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from io import StringIO
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.errors import InputError
from pipeline.merging import COLUMNS
from pipeline.params.source import ImageSet
from tests.sources import AIDL21_HEADER, PAIR, ingested, record, record_v2, source_of, write_records

TIMES = [pytest.param(1, id="quick"), pytest.param(6, marks=pytest.mark.proof, id="proof")]

SIGNS = tuple(bytes([code]) for code in b"/\\~\x00\r\n\x1a\"',;:{}\xff")
LETTERS = tuple(letter.encode() for letter in "é\u202e\u2028\x85\U0001f600\ufeff")
WORDS = (b"../", b"C:", b"null", b"NaN", b"Infinity", b"1e999", b"-0", b'"\\ud800"', b"\xed\xa0", b"malignant", b".jpg")
MASSES = (b"[" * 2000, b"9" * 400, b"9" * 5000, b"x" * 140_000)
FRAGMENTS = SIGNS + LETTERS + WORDS + MASSES
PARTS_OF_NAMES = ("..", "", ".", "a", "b.jpg", "C:", " ", "a\x00", "\ud800")
ODD_NUMBERS = (10**400, -(10**400), 10**30, -1, 0.1, math.inf, math.nan)
ACCIDENTS = ("flip", "cut", "insert", "remove", "repeat")

TABLES = {
    "aidl21": (AIDL21_HEADER, "IP_1,A,30.0,torso,benign,nevus,male,0", "x,B,nan,,malignant,melanoma,,1"),
    "siim2020": (
        "image_name,patient_id,sex,age_approx,anatom_site_general_challenge,diagnosis,benign_malignant,target",
        *("A,IP_1,male,45.0,torso,unknown,benign,0", "B,IP_1,,,,melanoma,malignant,1"),
    ),
    "ham10000": (
        "lesion_id,image_id,dx,dx_type,age,sex,localization",
        *("H,A,nv,histo,80.0,male,scalp", "H,B,mel,histo,,unknown,unknown", "H,A,bcc,histo,80.0,male,scalp"),
    ),
    "isic2017": ("image_id,melanoma,seborrheic_keratosis", "A,0.0,1.0", "B,1,0", "C,0,0"),
    "isic2018": ("image,MEL,NV,BCC,AKIEC,BKL,DF,VASC", "A,0,1,0,0,0,0,0", "B,1.0,0.0,0.0,0.0,0.0,0.0,0.0"),
    "archive_v2_csv": (
        "isic_id,attribution,copyright_license,age_approx,diagnosis_1",
        *('A,"A clinic, somewhere",CC-0,45,Benign', "B,Anonymous,CC-BY,,Malignant"),
    ),
}


def repeatedly(examples: int, strategy: st.SearchStrategy, check: Callable[..., str]) -> None:
    """Checks ``check`` on so many inputs; it must come to both outcomes, or the inputs test little."""
    outcomes: Counter[str] = Counter()

    @settings(
        max_examples=examples, derandomize=True, deadline=None, database=None, suppress_health_check=list(HealthCheck)
    )
    @given(strategy)
    def run(drawn: object) -> None:
        outcomes[check(drawn)] += 1

    run()
    assert outcomes.total() >= examples
    assert min(outcomes["table"], outcomes["refused"]) >= examples / 50, outcomes


def outcome(source: ImageSet, records: Callable[[], int] | None = None) -> str:
    """What ingest makes of a source: a table that accounts for so many records, or an error of one line."""
    try:
        table, report = ingested(source)
    except InputError as error:
        message = str(error)
    else:
        check_table(table, report)
        assert records is None or report["records"] == records()
        return "table"
    assert len(message.splitlines()) == 1
    assert message.isprintable()
    return "refused"


def check_table(table: pd.DataFrame, report: dict[str, Any]) -> None:
    assert report["records"] == len(table) + report["unreadable"]["count"] + report["duplicate_ids"]["dropped"]
    assert report["rows"] == len(table) == table["image_id"].nunique()
    assert sum(report["label"].values()) == sum(report["official_split"].values()) == len(table)
    for counts in report["by_label"].values():
        assert sum(sum(labels.values()) for labels in counts.values()) == len(table)
    assert all(is_inside(file) for file in table["file"])
    json.dumps(report, allow_nan=False).encode()
    written = table.to_csv(index=False, lineterminator="\n").encode().decode()
    read = pd.read_csv(StringIO(written), dtype=str, keep_default_na=False)
    assert read.to_numpy().tolist() == table.to_numpy().tolist()
    assert list(read.columns) == COLUMNS


def is_inside(file: str) -> bool:
    """Whether a file is in the folder that it is joined to, by POSIX's rules and by Windows'."""
    posix = posixpath.normpath(posixpath.join("/d/images", file)).startswith("/d/images/")
    windows = ntpath.normpath(ntpath.join("E:\\d\\images", file)).startswith("E:\\d\\images\\")
    return posix and windows and "\x00" not in file and "\\" not in file


@st.composite
def damaged(draw: st.DrawFn, whole: bytes) -> bytes:
    """The bytes after up to four accidents: flipped, cut, inserted, removed, repeated."""
    data = bytearray(whole)
    for accident in draw(st.lists(st.sampled_from(ACCIDENTS), min_size=1, max_size=4)):
        at = draw(st.integers(0, len(data)))
        if accident == "flip" and at < len(data):
            data[at] ^= draw(st.integers(1, 255))
        elif accident == "cut":
            del data[at:]
        elif accident == "insert":
            data[at:at] = draw(st.sampled_from(FRAGMENTS))
        elif accident == "remove":
            del data[at : at + draw(st.integers(1, 40))]
        elif accident == "repeat":
            data[at:at] = data[at : at + draw(st.integers(1, 60))]
    return bytes(data)


paths = st.tuples(st.sampled_from("///\\"), st.lists(st.sampled_from(PARTS_OF_NAMES), min_size=1, max_size=4)).map(
    lambda drawn: drawn[0].join(drawn[1])
)
names = paths | st.text(max_size=5)
scalars = st.none() | st.booleans() | st.floats() | st.integers() | names
nested = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(names, inner, max_size=2), max_leaves=4
)
V1 = record("C", "malignant", diagnosis="melanoma", age_approx=55, sex="female", patient_id="IP_1")
V2 = record_v2("C", "Malignant", diagnosis_3="Melanoma Invasive", age_approx=55, sex="female", patient_id="IP_1")


def places_of(whole: dict, above: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The keys that lead to every value, whatever its depth."""
    for key, value in whole.items():
        yield (*above, key)
        if isinstance(value, dict):
            yield from places_of(value, (*above, key))


def replaced(whole: dict, place: Sequence[str], value: object) -> dict:
    key, *deeper = place
    if deeper and isinstance(whole.get(key), dict):
        value = replaced(whole[key], deeper, value)
    return {**whole, key: value}


@st.composite
def altered(draw: st.DrawFn, whole: dict) -> dict:
    """The record with other values at one or two places, and sometimes another name."""
    if not draw(st.integers(0, 3)):
        whole = {**whole, "name" if "name" in whole else "isic_id": draw(names)}
    for place in draw(st.lists(st.sampled_from(list(places_of(whole))), min_size=1, max_size=2)):
        whole = replaced(whole, place, draw(st.sampled_from(ODD_NUMBERS) if draw(st.booleans()) else nested))
    return whole


RECORDS = st.sampled_from((V1, V2))
json_files = RECORDS.flatmap(lambda whole: damaged(json.dumps(whole).encode())) | RECORDS.flatmap(altered).map(
    lambda whole: json.dumps(whole).encode()
)
file_names = st.sampled_from(("c.json", "C", "c\nd.json", "ü.JSON", "c.d.json", "\udcff.json", "c\u2028.json"))
FILES = 2  # damaged ones in a folder, beside two that are whole


@pytest.mark.parametrize("times", TIMES)
def test_any_record_is_read_or_counted_or_refused(tmp_path, times):
    folder = Path(write_records(tmp_path / "d", *PAIR))

    def check(files: dict[str, bytes]) -> str:
        paths = {os.fsencode(folder / name): content for name, content in files.items()}
        for path, content in paths.items():
            with open(path, "wb") as file:
                file.write(content)
        try:
            return outcome(source_of(folder), lambda: FILES + len(PAIR))
        finally:
            for path in paths:
                os.unlink(path)

    repeatedly(200 * times, st.dictionaries(file_names, json_files, min_size=FILES, max_size=FILES), check)


@pytest.mark.parametrize("times", TIMES)
def test_any_name_is_inside_the_images_or_refused(tmp_path, times):
    folder = tmp_path / "d"

    def check(name: str) -> str:
        return outcome(source_of(write_records(folder, *PAIR, record(name))), lambda: 3)

    repeatedly(250 * times, paths, check)


@st.composite
def table_bytes(draw: st.DrawFn) -> bytes:
    """A table of a known format, in any of the ways that programs write CSVs, damaged."""
    lines = TABLES[draw(st.sampled_from(sorted(TABLES)))]
    text = draw(st.sampled_from(("\n", "\r\n", "\r"))).join([*lines, ""])
    if draw(st.booleans()) and '"' not in text:
        text = text.replace(",", ";")
    encoded = text.encode(draw(st.sampled_from(("utf-8", "utf-8-sig"))))
    return draw(damaged(encoded))


def count_of_records(content: bytes) -> int:
    """Non-blank records below the header, by the csv module on the whole text."""
    text = content.decode("utf-8-sig")
    first = StringIO(text, newline="").readline()
    separator = ";" if first.count(";") > first.count(",") else ","
    return sum(1 for values in csv.reader(StringIO(text, newline=""), delimiter=separator) if values) - 1


@pytest.mark.parametrize("times", TIMES)
def test_any_table_is_read_or_refused(tmp_path, times):
    path = tmp_path / "a.csv"

    def check(content: bytes) -> str:
        path.write_bytes(content)
        return outcome(source_of(path), lambda: count_of_records(content))

    repeatedly(400 * times, table_bytes(), check)


MAPPED = {"image_id": "id", "label": "y", "file": "path", "age_approx": "age", "official_split": "part"}
HEADER = [*MAPPED.values(), "", "", "é"]
words = st.sampled_from(("benign", "malignant", "train", "TESTING", "nan", "inf", "1e999", "9" * 500, "a.jpg"))


@st.composite
def mapped_bytes(draw: st.DrawFn) -> bytes:
    """A table of the user's own columns, mostly, with any values and some lines of the wrong length."""
    header = draw(st.permutations(HEADER) if draw(st.integers(0, 4)) else st.lists(st.sampled_from(HEADER)))
    lines = [header]
    for row in range(draw(st.integers(2, 6))):
        known = {"id": f"I{row}", "y": "malignant" if row % 2 else "benign", "path": f"p/{row}.png"}
        kind = draw(st.sampled_from(("whole", "whole", "whole", "strange", "short")))
        values = [draw(names | words) if kind == "strange" else known.get(name, "") for name in header]
        lines.append(values[: draw(st.integers(0, len(header)))] if kind == "short" else values)
    quoting = draw(st.sampled_from((csv.QUOTE_MINIMAL, csv.QUOTE_ALL)))
    text = StringIO()
    writer = csv.writer(text, delimiter=draw(st.sampled_from(",;\t|")), quoting=quoting)
    writer.writerows(lines)
    return text.getvalue().encode("utf-8", "surrogatepass")


@pytest.mark.parametrize("times", TIMES)
def test_any_mapped_table_is_read_or_refused(tmp_path, times):
    path = tmp_path / "a.csv"

    def check(content: bytes) -> str:
        path.write_bytes(content)
        return outcome(source_of(path, columns=MAPPED))

    repeatedly(250 * times, mapped_bytes(), check)


@pytest.mark.parametrize("times", TIMES)
def test_any_folder_of_tables_is_read_or_refused(tmp_path, times):
    truth = b"image_id,melanoma,seborrheic_keratosis\nA,0,1\nB,1,0\nC,0,0\n"
    ages = b"image_id,age_approximate,sex\nA,55,male\nB,unknown,female\nX,5,male\n"

    def check(drawn: tuple[bytes, bytes]) -> str:
        (tmp_path / "Training_truth.csv").write_bytes(drawn[0])
        (tmp_path / "ages.csv").write_bytes(drawn[1])
        return outcome(source_of(tmp_path))

    repeatedly(150 * times, st.tuples(damaged(truth), st.just(ages)) | st.tuples(st.just(truth), damaged(ages)), check)


def test_the_tests_notion_of_inside_is_not_empty():
    assert is_inside("a/b.jpg")
    outside = ("../a", "/a", "C:/a", "C:a", "a\\b", "a\x00", "a/../../b", "..", "\\\\host\\a")
    assert not any(is_inside(file) for file in outside)
