"""ISIC archive v1: one JSON record per image, as the archive's API gave them until 2023."""

from pipeline.isic.row import Format, Record, Row, identify, section, text, years


def row(record: Record) -> Row:
    """A record's row; the archive's mark ``image_manipulation: synthetic`` becomes the image type."""
    meta, dataset = section(record, "meta"), section(record, "dataset")
    clinical, acquisition = section(meta, "clinical"), section(meta, "acquisition")
    image_id, file = identify(record["name"])
    synthetic = text(acquisition.get("image_manipulation")).lower() == "synthetic"
    return Row(
        image_id=image_id,
        file=file,
        sha256=text(record.get("sha256")),
        label=text(clinical.get("benign_malignant")),
        diagnosis=text(clinical.get("diagnosis")),
        patient_id=text(clinical.get("patient_id")),
        lesion_id=text(clinical.get("lesion_id")),
        sex=text(clinical.get("sex")),
        age_approx=years(clinical.get("age_approx")),
        anatom_site=text(clinical.get("anatom_site_general")),
        image_type="synthetic" if synthetic else text(acquisition.get("image_type")),
        source=text(dataset.get("name")),
        licence=text(record.get("licence") or dataset.get("license")),
        attribution=text(record.get("attribution")),
    )


FORMAT = Format(frozenset({"name", "meta"}), row)
