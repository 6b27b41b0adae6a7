"""Made-up records of the archive's second API, in every layout that they are kept in."""

import csv
import json
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any

PAGE = 100  # records, as many as the archive's API gives at once
ROW_GROUP = 10_000  # of the archive's parquet snapshot
DIAGNOSES = (  # diagnosis_1 to diagnosis_5, and how often
    (("Benign", "Benign melanocytic proliferations", "Nevus", "Nevus, Atypical", None), 60),
    (("Benign", "Benign epidermal proliferations", "Pigmented benign keratosis", None, None), 15),
    (("Indeterminate", "Indeterminate melanocytic proliferations", None, None, None), 2),
    (("Malignant", "Malignant adnexal epithelial proliferations", "Basal cell carcinoma", None, None), 10),
    (("Malignant", "Malignant melanocytic proliferations (Melanoma)", "Melanoma Invasive", "Nodular", "Breslow"), 8),
    ((None, None, None, None, None), 5),
)
SITES = (("Trunk", "Anterior trunk", "Chest"), ("Lower extremity", "Leg", None), ("Head and neck", "Face", "Cheek"))
TYPES = (("dermoscopic", 88), ("TBP tile: close-up", 8), ("clinical: close-up", 4))
CLINICS = tuple(f"Department of Dermatology, University Hospital {number}" for number in range(12))
LICENCES = ("CC-0", "CC-BY", "CC-BY-NC")


def records(count: int, seed: int = 0) -> Iterator[dict[str, Any]]:
    """So many records; patients have one to five lesions, lesions one to three images."""
    rng = Random(seed)
    image = patient = lesion = 0
    while image < count:
        patient += 1
        clinic = rng.choice(CLINICS)
        person = {"sex": rng.choice(("male", "female", None)), "age_approx": rng.choice((None, *range(15, 90, 5)))}
        for _ in range(rng.randint(1, 5)):
            lesion += 1
            own = {**person, "patient_id": f"IP_{patient:07d}", "lesion_id": f"IL_{lesion:07d}", **_lesion(rng)}
            for _ in range(min(rng.randint(1, 3), count - image)):
                yield _record(rng, f"ISIC_{image:07d}", clinic, own)
                image += 1


def _lesion(rng: Random) -> dict[str, Any]:
    levels = _drawn(rng, DIAGNOSES)
    return {
        "anatom_site_general": None,
        **{f"anatom_site_{level}": site for level, site in enumerate(rng.choice(SITES), 1)},
        "diagnosis_confirm_type": rng.choice(("histopathology", "single image expert consensus")),
        **{f"diagnosis_{level}": name for level, name in enumerate(levels, 1)},
        "melanocytic": rng.random() < 0.7,
        "fitzpatrick_skin_type": rng.choice(("I", "II", "III", "IV", None)),
    }


def _record(rng: Random, isic_id: str, clinic: str, clinical: dict[str, Any]) -> dict[str, Any]:
    signature = f"Expires=1800000000&Signature={rng.getrandbits(1376):0344x}&Key-Pair-Id=K3"  # 344 letters, as theirs
    acquisition = {"pixels_x": 6000, "pixels_y": 4000, "image_type": _drawn(rng, TYPES), "image_manipulation": None}
    return {
        "isic_id": isic_id,
        "copyright_license": rng.choice(LICENCES),
        "attribution": clinic,
        "public": True,
        "files": {
            "full": {"url": f"https://example.org/{isic_id}.jpg?{signature}", "size": rng.randrange(10**5, 10**7)},
            "thumbnail_256": {"url": f"https://example.org/{isic_id}_small.jpg?{signature}", "size": 9000},
        },
        "metadata": {"acquisition": acquisition, "clinical": clinical},
    }


def _drawn(rng: Random, weighted: tuple[tuple[Any, int], ...]) -> Any:
    values, weights = zip(*weighted, strict=True)
    return rng.choices(values, weights)[0]


def write_files(folder: Path, count: int) -> Path:
    for record in records(count):
        (folder / f"{record['isic_id']}.json").write_text(json.dumps(record))
    return folder


def write_lines(folder: Path, count: int) -> Path:
    path = folder / "records.jsonl"
    with path.open("w") as file:
        file.writelines(f"{json.dumps(record)}\n" for record in records(count))
    return path


def write_pages(folder: Path, count: int) -> Path:
    left = records(count)
    for number in range(-(-count // PAGE)):
        content: dict[str, Any] = {"next": None, "previous": None, "results": list(islice(left, PAGE))}
        if number == 0:
            content["count"] = count
        (folder / f"page_{number:06d}.json").write_text(json.dumps(content))
    return folder


def write_csv(folder: Path, count: int) -> Path:
    """The table that the archive's own client writes: acquisition and clinical side by side."""
    path = folder / "metadata.csv"
    with path.open("w", newline="") as file:
        flat = (_flat(record) for record in records(count))
        first = next(flat)
        writer = csv.DictWriter(file, list(first))
        writer.writeheader()
        writer.writerow(first)
        writer.writerows(flat)
    return path


def write_parquet(folder: Path, count: int) -> Path:
    """The table as a snapshot of the archive: row groups of 10,000."""
    import pyarrow
    from pyarrow.parquet import ParquetWriter

    path = folder / "metadata.parquet"
    flat = (_flat(record) for record in records(count))
    rows = list(islice(flat, ROW_GROUP))
    kinds = {"age_approx": pyarrow.int64(), "melanocytic": pyarrow.bool_()}
    kinds |= {"pixels_x": pyarrow.int64(), "pixels_y": pyarrow.int64()}
    schema = pyarrow.schema([(name, kinds.get(name, pyarrow.string())) for name in rows[0]])
    with ParquetWriter(path, schema) as writer:
        while rows:
            writer.write_table(pyarrow.Table.from_pylist(rows, schema=schema))
            rows = list(islice(flat, ROW_GROUP))
    return path


def _flat(record: dict[str, Any]) -> dict[str, Any]:
    own = {key: record[key] for key in ("isic_id", "attribution", "copyright_license")}
    return own | record["metadata"]["acquisition"] | record["metadata"]["clinical"]


LAYOUTS: dict[str, Callable[[Path, int], Path]] = {
    "csv": write_csv,
    "files": write_files,
    "lines": write_lines,
    "pages": write_pages,
    "parquet": write_parquet,  # takes pyarrow
}
