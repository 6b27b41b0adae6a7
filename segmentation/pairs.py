"""Which image has which mask, and whose they are: told by a table, or by the files' names."""

import re
from collections.abc import Iterator
from pathlib import Path
from string import Formatter

import pandas as pd

from pipeline.errors import InputError
from pipeline.isic.names import is_inside
from segmentation.params import SourceParams, names_in

COLUMNS = ["image_id", "mask", "patient_id"]  # the image's and the mask's name in source.folder


def find_pairs(source: SourceParams) -> tuple[pd.DataFrame, int]:
    """Every image that has a mask, by name.

    Returns: ``COLUMNS``, sorted by image; the number of images without a mask, which are left out.

    Raises:
        InputError: if the folder or the table is missing, an image comes twice, a name leads out of the folder, or
            there is no pair.
    """
    if not Path(source.folder).is_dir():
        raise InputError(f"source.folder is {source.folder}, which is no folder; put the files there or correct it")
    rows = list(_of_table(source) if source.table else _of_folder(source))
    named = pd.DataFrame([_named(source, row) for row in rows], columns=COLUMNS)
    named = named[~named["image_id"].isin(named["mask"])]  # {slice}.tif is the image's, and {slice}_mask.tif alike
    _check_names(named)
    there = [(Path(source.folder) / mask).is_file() for mask in named["mask"]]
    pairs = named[there].sort_values("image_id", ignore_index=True)
    if pairs.empty:
        what = f"{len(named)} images" if len(named) else "no image"
        raise InputError(
            f"{source.folder} has {what} named {source.image} and no mask named {source.mask} for any; correct "
            "source.image or source.mask"
        )
    return pairs, len(named) - len(pairs)


def _named(source: SourceParams, row: dict[str, str]) -> tuple[str, str, str]:
    image = source.image.format_map(row)
    patient = source.patient.format_map(row) if source.patient else image
    return image, source.mask.format_map(row), patient


def _of_table(source: SourceParams) -> Iterator[dict[str, str]]:
    path = Path(source.folder) / str(source.table)
    if not path.is_file():
        raise InputError(f"source.table is {source.table}, and {path} does not exist; put it there, or set null")
    table = pd.read_csv(path, dtype=str, keep_default_na=False)
    wanted = names_in(source.image) | names_in(source.mask) | names_in(source.patient or "")
    if absent := sorted(wanted - set(table.columns)):
        raise InputError(f"{path} has no column {absent[0]}, which source names; it has {', '.join(table.columns)}")
    for values in table[sorted(wanted)].to_numpy():
        yield dict(zip(sorted(wanted), values, strict=True))


def _of_folder(source: SourceParams) -> Iterator[dict[str, str]]:
    folder, pattern = Path(source.folder), _pattern(source.image)
    for path in sorted(folder.rglob("*")):
        match = pattern.fullmatch(path.relative_to(folder).as_posix())
        if match and path.is_file():
            yield match.groupdict()


def _pattern(template: str) -> re.Pattern[str]:
    """A name in braces stands for any text without a slash; where it comes again, for the same."""
    parts, seen = [], set[str]()
    for literal, name, _, _ in Formatter().parse(template):
        parts.append(re.escape(literal))
        if name is not None:
            parts.append(f"(?P={name})" if name in seen else f"(?P<{name}>[^/]+)")
            seen.add(name)
    return re.compile("".join(parts))


def _check_names(named: pd.DataFrame) -> None:
    """Raises InputError for an image that comes twice and for a name that leads out of the folder."""
    repeated = named.loc[named["image_id"].duplicated(), "image_id"]
    if len(repeated):
        raise InputError(f"{repeated.iloc[0]} comes {(named['image_id'] == repeated.iloc[0]).sum()} times in the table")
    for name in pd.concat([named["image_id"], named["mask"]]):
        if not is_inside(name):
            raise InputError(f"the table names the file {name!r:.200}, which may lie outside source.folder; correct it")
