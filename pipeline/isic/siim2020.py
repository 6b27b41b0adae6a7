"""SIIM-ISIC 2020: one row per image, with patients; the test table has no labels."""

from pipeline.isic.row import Format, Record, Row, identify, text, years
from pipeline.isic.vocabulary import unless_contradicted


def row(record: Record) -> Row:
    """A record's row; only the second version of the training table has lesions.

    Raises:
        ValueError: if its two labels contradict each other.
    """
    image_id, file = identify(record["image_name"])
    return Row(
        image_id=image_id,
        file=file,
        label=unless_contradicted(text(record.get("benign_malignant")), text(record.get("target"))),
        diagnosis=text(record.get("diagnosis")),
        patient_id=text(record["patient_id"]),
        lesion_id=text(record.get("lesion_id")),
        sex=text(record["sex"]),
        age_approx=years(record["age_approx"]),
        anatom_site=text(record["anatom_site_general_challenge"]),
        official_split=text(record.get("official_split")),
    )


FORMAT = Format(
    frozenset({"image_name", "patient_id", "sex", "age_approx", "anatom_site_general_challenge"}),
    row,
    split_in_name=True,
)
