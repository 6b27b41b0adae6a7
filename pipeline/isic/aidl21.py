"""The AIDL 2021 table: ISIC archive and SIIM-ISIC 2020 joined, one row per image."""

from pipeline.isic.row import Format, Record, Row, identify, text, years
from pipeline.isic.vocabulary import unless_contradicted

PATIENT = "IP_"  # other values of ID are the archive's own number of the image, not of a patient


def row(record: Record) -> Row:
    """A record's row. Raises ValueError if its two labels contradict each other."""
    image_id, file = identify(record["dcm_name"])
    owner = text(record["ID"])
    of_challenge = owner.startswith(PATIENT)
    return Row(
        image_id=image_id,
        file=file,
        label=unless_contradicted(text(record["benign_malignant"]), text(record["target"])),
        diagnosis=text(record["diagnosis"]),
        patient_id=owner if of_challenge else "",
        sex=text(record["sex"]),
        age_approx=years(record["age"]),
        anatom_site=text(record["anatomy"]),
        source="SIIM-ISIC 2020" if of_challenge else "ISIC archive",
    )


FORMAT = Format(
    frozenset({"ID", "dcm_name", "age", "anatomy", "benign_malignant", "diagnosis", "sex", "target"}),
    row,
)
