"""ISIC 2017: ground truth of melanoma and seborrheic keratosis, and ages and sexes in a table beside it.

What is neither is a nevus. Only melanoma is labelled malignant: the challenge has no other malignant class.
"""

from pipeline.isic.row import Format, Record, Row, flag, identify, text, years


def row(record: Record) -> Row:
    """A record's row. Raises ValueError if it is marked as both diagnoses."""
    image_id, file = identify(record["image_id"])
    diagnosis = _diagnosis(flag(record["melanoma"]), flag(record["seborrheic_keratosis"]))
    return Row(
        image_id=image_id,
        file=file,
        label=diagnosis,
        diagnosis=diagnosis,
        sex=text(record.get("sex")),
        age_approx=years(record.get("age_approximate")),
        official_split=text(record.get("official_split")),
    )


def _diagnosis(melanoma: bool, seborrheic_keratosis: bool) -> str:
    if melanoma and seborrheic_keratosis:
        raise ValueError("melanoma and seborrheic_keratosis are both 1")
    if melanoma:
        return "melanoma"
    return "seborrheic keratosis" if seborrheic_keratosis else "nevus"


FORMAT = Format(
    frozenset({"image_id", "melanoma", "seborrheic_keratosis"}),
    row,
    beside=frozenset({"image_id", "age_approximate", "sex"}),
    key="image_id",
    split_in_name=True,
)
