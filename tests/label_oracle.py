"""What a record's label may be, read apart from the project's readers: from what each publisher says of its fields."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

UNREADABLE: frozenset[str] = frozenset()  # no row may come of it
UNKNOWN = frozenset({"unknown"})

WORDS = {  # the archive's, the class names of ISIC 2017, and the codes of HAM10000, ISIC 2018 and 2019
    **dict.fromkeys(("benign", "nevus", "seborrheic keratosis", "bkl", "df", "nv", "vasc"), "benign"),
    **dict.fromkeys(("malignant", "melanoma", "ak", "akiec", "bcc", "mel", "scc"), "malignant"),
    **dict.fromkeys(("indeterminate", "indeterminate/benign", "indeterminate/malignant"), "indeterminate"),
}
FLAGS = {"1": True, "1.0": True, "0": False, "0.0": False}
OF_2018 = ("MEL", "NV", "BCC", "AKIEC", "BKL", "DF", "VASC")
OF_2019 = ("MEL", "NV", "BCC", "AK", "BKL", "DF", "VASC", "SCC", "UNK")


def visible(value: Any) -> str:
    """A scalar as one reads it: without what does not print; empty for null."""
    letters = "" if value is None else str(value)
    return " ".join("".join(letter if letter.isprintable() else " " for letter in letters).split()).lower()


def said(value: Any) -> str:
    return WORDS.get(visible(value), "unknown")


def of_words(*values: Any, flag: Any = "") -> frozenset[str]:
    """The first value that is not blank says it, unless another or the flag says the opposite."""
    if any(isinstance(value, list | dict) for value in (*values, flag)):
        return UNKNOWN
    spoken = [said(value) for value in values if visible(value)]
    claims = {*spoken, {True: "malignant", False: "benign"}.get(FLAGS.get(visible(flag)), "unknown")}
    if not spoken or {"benign", "malignant"} <= claims:
        return UNKNOWN
    return frozenset({spoken[0]})


def of_flags(record: Mapping[str, Any], malignant: tuple[str, ...], benign: tuple[str, ...], least: int) -> frozenset:
    """At least so many of the columns are 1 and at most one; no other value is any."""
    flags = {name: FLAGS.get(visible(record.get(name))) for name in (*malignant, *benign)}
    marked = [name for name, flag in flags.items() if flag]
    if None in flags.values() or not least <= len(marked) <= 1:
        return UNREADABLE
    if marked == ["UNK"]:
        return UNKNOWN
    return frozenset({"malignant" if marked and marked[0] in malignant else "benign"})


def of_table_row(kind: str, record: Mapping[str, str]) -> frozenset[str]:
    """The labels that a row of a table may get, if it becomes a row of ours at all."""
    if kind in ("aidl21", "siim2020"):
        return of_words(record.get("benign_malignant"), flag=record.get("target", ""))
    if kind == "ham10000":
        return of_words(record.get("dx"))
    if kind == "isic2017":
        return of_flags(record, ("melanoma",), ("seborrheic_keratosis",), 0)
    if kind == "isic2018":
        return of_flags(record, ("MEL", "BCC", "AKIEC"), ("NV", "BKL", "DF", "VASC"), 1)
    if kind == "isic2019":
        return of_flags(record, ("MEL", "BCC", "AK", "SCC"), ("NV", "BKL", "DF", "VASC", "UNK"), 1)
    if kind == "isic2024":
        target = record.get("target", "")
        return of_flags(record, ("target",), (), 0) if visible(target) else UNKNOWN
    if kind == "archive_v2_csv":
        return of_words(record.get("diagnosis_1"), record.get("benign_malignant"))
    return of_words(record.get("y"))  # mapped


class Repeated(dict):
    """An object in which a key is twice."""


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    return found if len(found) == len(pairs) else Repeated(found)


def parsed(content: bytes) -> Any:
    """Raises ValueError or RecursionError for what is no JSON."""
    return json.loads(content, object_pairs_hook=_object)


def of_json(record: Any) -> frozenset[str]:
    """The labels that a JSON record of either of the archive's APIs may get, if it becomes a row at all."""
    if not isinstance(record, dict) or any(isinstance(each, Repeated) for each in objects_of(record)):
        return UNREADABLE
    anywhere = [each.get(key) for each in objects_of(record) for key in ("diagnosis_1", "benign_malignant")]
    stray = frozenset(said(value) for value in anywhere if not isinstance(value, list | dict))
    if "name" in record and "meta" in record:
        proper = of_words(_at(record, "meta", "clinical", "benign_malignant"))
        if {"isic_id", "metadata"} <= record.keys():  # of both APIs at once
            proper |= stray | UNKNOWN
    else:
        proper = of_words(*(_at(record, "metadata", "clinical", key) for key in ("diagnosis_1", "benign_malignant")))
    return proper | stray if proper == UNKNOWN and not {"benign", "malignant"} <= stray else proper


def objects_of(value: Any) -> Iterator[dict[str, Any]]:
    """Every object, at whatever depth; without recursion, as depth is one of the mutations."""
    left = [value]
    while left:
        item = left.pop()
        if isinstance(item, dict):
            yield item
            left.extend(item.values())
        elif isinstance(item, list):
            left.extend(item)


def _at(record: Any, *keys: str) -> Any:
    for key in keys:
        record = record.get(key) if isinstance(record, dict) else None
    return record


def rows_of_csv(text: str, separator: str) -> list[tuple[int, list[str]]] | None:
    """The last line and the values of every row that is not blank, by RFC 4180; None if quotes are not in pairs."""
    token = re.compile(rf'(?:"((?:[^"]|"")*)"|([^"{separator}\r\n][^{separator}\r\n]*)|)({separator}|\r\n|\r|\n|\Z)')
    rows: list[tuple[int, list[str]]] = []
    values: list[str] = []
    at, line = 0, 1
    while at < len(text):
        found = token.match(text, at)
        if not found:
            return None
        quoted, plain, end = found.groups()
        values.append(plain or (quoted or "").replace('""', '"'))
        line += len(re.findall(r"\r\n|\r|\n", quoted or ""))
        if end != separator:
            if values != [""] or quoted is not None:
                rows.append((line, values))
            values = []
            line += 1
        at = found.end()
    return [*rows, (line, [*values, ""])] if values else rows
