"""Any CSV, through the user's own ``columns``."""

from collections.abc import Mapping

from pipeline.isic.row import Format, Record, Row, identify, text, years

CONVERTED = ("image_id", "file", "age_approx")  # the other columns are taken as they are


def mapped_format(columns: Mapping[str, str]) -> Format:
    """The format that a mapping from our columns to the CSV's describes.

    Args:
        columns: at least image_id and label. Without ``file``, the image id itself may be a path.
    """
    direct = {ours: theirs for ours, theirs in columns.items() if ours not in CONVERTED}

    def row(record: Record) -> Row:
        image_id, file = identify(record[columns["image_id"]])
        if "file" in columns:
            file = record[columns["file"]].strip() or file
        values = {ours: text(record[theirs]) for ours, theirs in direct.items()}
        if "age_approx" in columns:
            values["age_approx"] = years(record[columns["age_approx"]])
        return Row(image_id, file, **values)

    return Format(frozenset(columns.values()), row)
