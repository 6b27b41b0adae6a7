"""ISIC archive v2: one JSON record per image from the API, or the flat ``metadata.csv`` of isic-cli.

``diagnosis_1`` (Benign, Indeterminate or Malignant, since 2024) is the label; before it ``benign_malignant`` was.
The attribution is also the source: nothing else in a record tells which clinic's archive an image is from.
"""

from pipeline.isic.row import Format, Record, Row, identify, section, text, years
from pipeline.isic.vocabulary import unless_contradicted

LABELS = ("diagnosis_1", "benign_malignant")
DIAGNOSES = ("diagnosis", "diagnosis_3", "diagnosis_2", "diagnosis_1")  # level 3 is as fine as the older flat name
OF_RECORD = ("isic_id", "attribution", "copyright_license", "sha256")  # the others are acquisition or clinical
SITES = ("anatom_site_general", "anatom_site_1")  # the first was dropped in 2026


def nested_row(record: Record) -> Row:
    metadata = section(record, "metadata")
    own = {key: record.get(key) for key in OF_RECORD}
    return flat_row({**section(metadata, "acquisition"), **section(metadata, "clinical"), **own})


def flat_row(record: Record) -> Row:
    """A record's row; the archive's mark ``image_manipulation: synthetic`` becomes the image type.

    Raises:
        ValueError: if a record from the time of both has labels that contradict each other.
    """
    image_id, file = identify(record["isic_id"])
    attribution = text(record.get("attribution"))
    synthetic = text(record.get("image_manipulation")).lower() == "synthetic"
    return Row(
        image_id=image_id,
        file=file,
        sha256=text(record.get("sha256")),
        label=unless_contradicted(_first(record, LABELS), text(record.get("benign_malignant"))),
        diagnosis=_first(record, DIAGNOSES),
        patient_id=text(record.get("patient_id")),
        lesion_id=text(record.get("lesion_id")),
        sex=text(record.get("sex")),
        age_approx=years(record.get("age_approx")),
        anatom_site=_first(record, SITES),
        image_type="synthetic" if synthetic else text(record.get("image_type")),
        source=attribution,
        licence=text(record.get("copyright_license")),
        attribution=attribution,
    )


def _first(record: Record, names: tuple[str, ...]) -> str:
    """The first value that is not empty."""
    for name in names:
        if value := text(record.get(name)):
            return value
    return ""


FORMAT = Format(frozenset({"isic_id", "metadata"}), nested_row)
FLAT_FORMAT = Format(frozenset({"isic_id", "attribution", "copyright_license"}), flat_row)
