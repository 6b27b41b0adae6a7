"""Reading parquet, such as the archive's snapshot of all its metadata, as the lines of a CSV would be read."""

from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.errors import InputError
from pipeline.isic.row import text

if TYPE_CHECKING:
    from pyarrow import Array
    from pyarrow.parquet import ParquetFile

SUFFIX = ".parquet"
BATCH = 10_000  # rows in memory at once
BOOLEANS = {"true": "True", "false": "False", "": ""}  # as the archive's client writes them in a CSV


def lines_of(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Number and values of every row, before them 0 and the columns' names; columns of lists or structs are left out.

    Values are text as in a CSV: empty for null, ``55`` for 55.0.

    Raises:
        InputError: if it is no parquet file, or nothing is there to read it with.
    """
    try:
        import pyarrow
        from pyarrow.parquet import ParquetFile
    except ImportError as error:
        raise InputError(
            f"{path} is a parquet file, which takes pyarrow to read; pip install pyarrow, or give the table as a CSV"
        ) from error
    try:
        with ParquetFile(path, page_checksum_verification=True) as file:
            yield from _lines(file)
    except (pyarrow.ArrowException, OSError, UnicodeDecodeError) as error:
        raise InputError(
            f"{path} cannot be read as parquet: {text(str(error)):.200}; copy or export it again"
        ) from error


def _lines(file: "ParquetFile") -> Iterator[tuple[int, list[str]]]:
    import pyarrow

    fields = list(file.schema_arrow)
    flat = [position for position, field in enumerate(fields) if not pyarrow.types.is_nested(field.type)]
    yield 0, [fields[position].name for position in flat]
    numbers = count(1)
    for batch in file.iter_batches(BATCH):
        texts = [_texts(batch.column(position)) for position in flat]
        yield from ((next(numbers), list(values)) for values in zip(*texts, strict=True))


def _texts(column: "Array") -> list[str]:
    import pyarrow

    values: list[Any] = column.cast(pyarrow.string()).fill_null("").to_pylist()
    return [BOOLEANS[value] for value in values] if pyarrow.types.is_boolean(column.type) else values
