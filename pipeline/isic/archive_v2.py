"""ISIC archive v2: one JSON record per image from the API, or the flat ``metadata.csv`` of isic-cli.

``diagnosis_1`` (Benign, Indeterminate or Malignant, since 2024) is the label; before it ``benign_malignant`` was.
The attribution is also the source: nothing else in a record tells which clinic's archive an image is from.
"""

from pipeline.isic.row import Format, Record, Row, identify, section, text, years

DIAGNOSES = ("diagnosis", "diagnosis_3", "diagnosis_2", "diagnosis_1")  # level 3 is as fine as the older flat name
SITES = ("anatom_site_general", "anatom_site_1")  # the first was dropped in 2026


def nested_row(record: Record) -> Row:
    metadata = section(record, "metadata")
    return flat_row({**section(metadata, "acquisition"), **section(metadata, "clinical"), **record})


def flat_row(record: Record) -> Row:
    """A record's row; the archive's mark ``image_manipulation: synthetic`` becomes the image type."""
    image_id, file = identify(record["isic_id"])
    attribution = text(record.get("attribution"))
    synthetic = record.get("image_manipulation") == "synthetic"
    return Row(
        image_id=image_id,
        file=file,
        sha256=text(record.get("sha256")),
        label=_first(record, ("diagnosis_1", "benign_malignant")),
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
