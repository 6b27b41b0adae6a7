"""Ways in which records, tables and files of metadata come out wrong; each takes a ``Random`` and is drawn from it."""

import csv
import gzip
import json
from collections.abc import Callable, Iterator
from copy import deepcopy
from io import StringIO
from random import Random
from typing import Any

Table = list[list[str]]  # the header and the rows

WORDS = ("benign", "Malignant", " malignant ", "MALIGNANT\x00", "melanoma", "nv", "unknown", "null", "mal\u200bignant")
ODD = (
    *WORDS,
    "",
    " ",
    "0",
    "1",
    "1.0",
    "2",
    "-0",
    "nan",
    "1e999",
    "true",
    "A;B",
    'a"b',
    "a,b",
    "x\ny",
    "ü\u2028",
    "\ufeff",
)
NUMBERS = (0, 1, True, False, 0.5, -1, 10**30, 10**400, float("nan"), float("inf"))
NAMES = ("../x", "a/../../x", "/etc/x", "C:\\x", "..", "", "x\x00.jpg", "\ud800", "a/b.jpg", "ISIC_2.PNG", "\u202ex")
CLAIMS = {"target": ("0", "1"), "benign_malignant": ("benign", "malignant"), "diagnosis_1": ("Benign", "Malignant")}
STRAY = ("name", "meta", "results", "metadata", "isic_id", "diagnosis_1", "benign_malignant", "clinical", "sha256")
DEPTHS = (5, 50, 400, *range(880, 1010, 2), 5000)  # about Python's own limit of 1,000 calls
TWICE = "\N{REPLACEMENT CHARACTER}again"  # after a key that is to stand twice in an object


# Tables


def renamed_column(rng: Random, table: Table) -> Table:
    header, *rows = table
    at = rng.randrange(len(header))
    name = header[at]
    other = rng.choice(
        (name.upper(), name.title(), f" {name} ", f"{name}s", name[:-1], f"\ufeff{name}", "", f"{name}\n")
    )
    return [[*header[:at], other, *header[at + 1 :]], *rows]


def swapped_names(rng: Random, table: Table) -> Table:
    header, *rows = deepcopy(table)
    one, other = rng.sample(range(len(header)), 2)
    header[one], header[other] = header[other], header[one]
    return [header, *rows]


def repeated_name(rng: Random, table: Table) -> Table:
    header, *rows = deepcopy(table)
    one, other = rng.sample(range(len(header)), 2)
    header[one] = header[other]
    return [header, *rows]


def lost_or_added_name(rng: Random, table: Table) -> Table:
    header, *rows = deepcopy(table)
    at = rng.randrange(len(header))
    header[at : at + rng.randint(0, 1)] = rng.choice(([], ["extra"], ["target"]))
    return [header, *rows]


def moved_column(rng: Random, table: Table) -> Table:
    width = len(table[0])
    order = rng.sample(range(width), width)
    return [[row[at] for at in order] for row in table]


def lost_column(rng: Random, table: Table) -> Table:
    at = rng.randrange(len(table[0]))
    return [row[:at] + row[at + 1 :] for row in table]


def repeated_column(rng: Random, table: Table) -> Table:
    at = rng.randrange(len(table[0]))
    return [[*row, row[at]] for row in table]


def note_column(rng: Random, table: Table) -> Table:
    """A column of free text, over several lines."""
    note = rng.choice(("two\nlines", "a, b; c", 'a "quote"', "x\r\ny\r\nz", '"'))
    return [[*table[0], "note"], *([*row, note] for row in table[1:])]


def odd_cell(rng: Random, table: Table) -> Table:
    changed = deepcopy(table)
    row = rng.choice(changed[1:])
    row[rng.randrange(len(row))] = rng.choice(ODD)
    return changed


def other_claim(rng: Random, table: Table) -> Table:
    """A field that tells the label says something of its own."""
    changed = deepcopy(table)
    column = rng.choice([name for name in table[0] if name in CLAIMS] or table[0])
    rng.choice(changed[1:])[table[0].index(column)] = rng.choice(CLAIMS.get(column, ODD))
    return changed


def unsafe_cell(rng: Random, table: Table) -> Table:
    changed = deepcopy(table)
    rng.choice(changed[1:])[rng.randrange(2)] = rng.choice(NAMES)
    return changed


def swapped_cells(rng: Random, table: Table) -> Table:
    changed = deepcopy(table)
    row = rng.choice(changed[1:])
    one, other = rng.sample(range(len(row)), 2)
    row[one], row[other] = row[other], row[one]
    return changed


def shifted_row(rng: Random, table: Table) -> Table:
    changed = deepcopy(table)
    row = rng.choice(changed[1:])
    row.insert(rng.randrange(len(row)), rng.choice(ODD))
    del row[rng.randrange(len(row))]
    return changed


def row_of_another_length(rng: Random, table: Table) -> Table:
    changed = deepcopy(table)
    row = rng.choice(changed[1:])
    at = rng.randrange(len(row))
    row[at : at + rng.randint(0, 1)] = rng.choice(([], ["", ""], ["benign", "malignant", "0"]))
    return changed


def row_again(rng: Random, table: Table) -> Table:
    """A row twice, the second time with another label or value; or the header once more."""
    again = list(rng.choice(table))
    again[rng.randrange(len(again))] = rng.choice(ODD)
    return [*table, again]


NEUTRAL = (moved_column, note_column)  # what a table says of every image stays
OF_TABLES: tuple[Callable[[Random, Table], Table], ...] = (
    *(renamed_column, swapped_names, repeated_name, lost_or_added_name, moved_column, lost_column, repeated_column),
    *(note_column, odd_cell, other_claim, unsafe_cell, swapped_cells, shifted_row, row_of_another_length, row_again),
)


def as_csv(rng: Random, table: Table) -> bytes:
    """Written in any of the ways that programs write CSVs."""
    text = StringIO()
    quoting = rng.choice((csv.QUOTE_MINIMAL, csv.QUOTE_MINIMAL, csv.QUOTE_ALL))
    writer = csv.writer(
        text, delimiter=rng.choice(",,;"), quoting=quoting, lineterminator=rng.choice(("\n", "\r\n", "\r"))
    )
    writer.writerows(table)
    return text.getvalue().encode(rng.choice(("utf-8", "utf-8-sig")), "surrogatepass")


# Files


def other_separator(rng: Random, whole: bytes) -> bytes:
    return whole.replace(*rng.choice(((b",", b"\t"), (b",", b"|"), (b",", b";"), (b";", b","), (b",", b", "))))


def lost_quote(rng: Random, whole: bytes) -> bytes:
    """One quote less, or one more."""
    places = [at for at, code in enumerate(whole) if code == ord('"')]
    if places and rng.random() < 0.7:
        at = rng.choice(places)
        return whole[:at] + whole[at + 1 :]
    at = rng.choice([at for at, code in enumerate(whole) if code in b",;:\n\r"] or [0])
    return whole[: at + 1] + b'"' + whole[at + 1 :]


def lost_line_end(rng: Random, whole: bytes) -> bytes:
    places = [at for at, code in enumerate(whole) if code in b"\r\n"] or [0]
    at = rng.choice(places)
    return whole[:at] + rng.choice((b"", b" ", b"\n\n")) + whole[at + 1 :]


def cut(rng: Random, whole: bytes) -> bytes:
    return whole[: rng.randrange(len(whole))]


def flipped(rng: Random, whole: bytes) -> bytes:
    data = bytearray(whole)
    for _ in range(rng.choice((1, 1, 2, 5))):
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    return bytes(data)


def removed_or_repeated(rng: Random, whole: bytes) -> bytes:
    at, length = rng.randrange(len(whole)), rng.randint(1, 60)
    part = b"" if rng.random() < 0.5 else whole[at : at + length] * 2
    return whole[:at] + part + whole[at + length :]


def inserted(rng: Random, whole: bytes) -> bytes:
    at = rng.randrange(len(whole) + 1)
    part = rng.choice(
        (b"\x00", b"\xff", b"\xef\xbb\xbf", b"\x1a", b",", b";", b"9" * 5000, b"x" * 140_000, b"[" * 2000)
    )
    return whole[:at] + part + whole[at:]


def other_encoding(rng: Random, whole: bytes) -> bytes:
    """UTF-16, Latin-1, gzip, NULs, or nothing at all."""
    text = whole.decode("utf-8", "replace")
    encodings = ("utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252")
    made = [text.encode(encoding, "replace") for encoding in encodings]
    return rng.choice((*made, gzip.compress(whole, mtime=0), bytes(len(whole)), whole + bytes(100), b"", b"\n"))


OF_FILES: tuple[Callable[[Random, bytes], bytes], ...] = (
    *(other_separator, lost_quote, lost_line_end, cut, flipped, removed_or_repeated, inserted, other_encoding),
)


# JSON records


def places_of(value: Any, above: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The keys that lead to every value of an object, whatever its depth."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield (*above, key)
            yield from places_of(item, (*above, key))


def _drawn(rng: Random, record: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any], str]:
    """A copy of the record, one of the objects in it, and one of that object's keys."""
    record = deepcopy(record)
    *above, key = rng.choice(list(places_of(record)))
    holder = record
    for step in above:
        holder = holder[step]
    return record, holder, key


def lost_key(rng: Random, record: dict[str, Any]) -> dict[str, Any]:
    record, holder, key = _drawn(rng, record)
    del holder[key]
    return record


def renamed_key(rng: Random, record: dict[str, Any]) -> dict[str, Any]:
    record, holder, key = _drawn(rng, record)
    holder[rng.choice((key.upper(), key.title(), f" {key}", f"{key}s", key[:-1], "", *STRAY))] = holder.pop(key)
    return record


def other_value(rng: Random, record: dict[str, Any]) -> dict[str, Any]:
    record, holder, key = _drawn(rng, record)
    holder[key] = rng.choice((None, [], {}, [holder[key]], {"value": holder[key]}, *ODD, *NUMBERS, *NAMES[-4:]))
    return record


def other_word(rng: Random, record: dict[str, Any]) -> dict[str, Any]:
    """A field that tells the label says something of its own."""
    record = deepcopy(record)
    clinical = record["meta" if "meta" in record else "metadata"]["clinical"]
    name = rng.choice(("benign_malignant", "diagnosis_1"))
    clinical[name] = rng.choice(CLAIMS[name])
    return record


def swapped_values(rng: Random, record: dict[str, Any]) -> dict[str, Any]:
    record, holder, key = _drawn(rng, record)
    other = rng.choice(list(holder))
    holder[key], holder[other] = holder[other], holder[key]
    return record


def repeated_key(rng: Random, record: dict[str, Any]) -> dict[str, Any]:
    """A key that stands twice in its object, with another value or the same."""
    record, holder, key = _drawn(rng, record)
    holder[key + TWICE] = rng.choice((holder[key], None, *WORDS))
    return record


def stray_key(rng: Random, record: dict[str, Any]) -> dict[str, Any]:
    record, holder, _ = _drawn(rng, record)
    holder[rng.choice(STRAY)] = rng.choice((None, {}, [1], *WORDS))
    return record


def moved_value(rng: Random, record: dict[str, Any]) -> dict[str, Any]:
    """To the top, or into an object of its own."""
    record, holder, key = _drawn(rng, record)
    value = holder.pop(key)
    if rng.random() < 0.5:
        record[key] = value
    else:
        holder[rng.choice(("clinical", "meta", "unstructured"))] = {key: value}
    return record


def deep_value(rng: Random, record: dict[str, Any]) -> dict[str, Any]:
    record, holder, key = _drawn(rng, record)
    holder[key] = f"{TWICE}{rng.choice(DEPTHS)}"
    return record


def unsafe_name(rng: Random, record: dict[str, Any]) -> dict[str, Any]:
    return {**record, "name" if "name" in record else "isic_id": rng.choice(NAMES)}


AGAIN: tuple[Callable[[Random, dict[str, Any]], dict[str, Any]], ...] = (  # of any record, mutated or not
    *(lost_key, renamed_key, other_value, swapped_values, repeated_key, stray_key, moved_value, deep_value),
)
OF_RECORDS = (*AGAIN, other_word, unsafe_name)


def as_json(record: dict[str, Any]) -> str:
    """JSON, keys that stand twice and values of any depth written out."""
    text = json.dumps(record).replace(json.dumps(TWICE)[1:-1] + '":', '":')
    for depth in DEPTHS:
        text = text.replace(json.dumps(f"{TWICE}{depth}"), "[" * depth + "]" * depth)
    return text
