"""ISIC 2024 (SLICE-3D): tiles of whole-body photographs, one row each; the test table has no ``target``.

Diagnoses (``iddx_*``) and what pathology measured (``mel_*``) are in the training table only and give the label away,
so they are not read. ``lesion_id`` is there for lesions that were cut out only: it groups images and does nothing else.
"""

from pipeline.isic.row import Format, Record, Row, flag, identify, text, years


def row(record: Record) -> Row:
    image_id, file = identify(record["isic_id"])
    target = text(record.get("target"))
    return Row(
        image_id=image_id,
        file=file,
        label=("malignant" if flag(target) else "benign") if target else "",
        patient_id=text(record.get("patient_id")),
        lesion_id=text(record.get("lesion_id")),
        sex=text(record.get("sex")),
        age_approx=years(record.get("age_approx")),
        anatom_site=text(record.get("anatom_site_general")),
        image_type=text(record.get("image_type")),
        source=text(record.get("attribution")),
        licence=text(record.get("copyright_license")),
        attribution=text(record.get("attribution")),
        official_split=text(record.get("official_split")),
    )


# Not by tbp_tile_type: the archive's own tables have that column too, and their labels stand elsewhere.
FORMAT = Format(frozenset({"isic_id", "tbp_lv_A"}), row, split_in_name=True, leaks=("iddx_", "mel_"))
