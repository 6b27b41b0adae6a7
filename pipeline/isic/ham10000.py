"""HAM10000: one row per image, with lesions; the label is ``dx``, whose codes the vocabulary calls malignant or not."""

from pipeline.isic.row import Format, Record, Row, identify, text, years
from pipeline.isic.vocabulary import diagnosis_of


def row(record: Record) -> Row:
    """A record's row; only later copies of the table have ``dataset``, the collection that an image is from."""
    image_id, file = identify(record["image_id"])
    code = text(record["dx"])
    return Row(
        image_id=image_id,
        file=file,
        label=code,
        diagnosis=diagnosis_of(code),
        lesion_id=text(record["lesion_id"]),
        sex=text(record["sex"]),
        age_approx=years(record["age"]),
        anatom_site=text(record["localization"]),
        source=text(record.get("dataset")),
    )


FORMAT = Format(frozenset({"lesion_id", "image_id", "dx", "age", "sex", "localization"}), row)
