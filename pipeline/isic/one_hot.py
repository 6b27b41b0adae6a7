"""ISIC 2018 (task 3) and 2019: ground truth with a column per diagnosis, and tables of ages and lesions beside it."""

from collections.abc import Callable

from pipeline.isic.row import Format, Record, Row, flag, identify, text, years
from pipeline.isic.vocabulary import diagnosis_of

ISIC2018 = ("MEL", "NV", "BCC", "AKIEC", "BKL", "DF", "VASC")
ISIC2019 = ("MEL", "NV", "BCC", "AK", "BKL", "DF", "VASC", "SCC", "UNK")

LESIONS = frozenset({"image", "lesion_id", "diagnosis_confirm_type"})  # published with 2018
METADATA = frozenset({"image", "age_approx", "anatom_site_general", "lesion_id", "sex"})  # published with 2019


def row_of(codes: tuple[str, ...]) -> Callable[[Record], Row]:
    """The reader of a table with these columns; its rows raise ValueError unless exactly one of them is 1."""

    def row(record: Record) -> Row:
        image_id, file = identify(record["image"])
        marked = [code for code in codes if flag(record[code])]
        if len(marked) != 1:
            raise ValueError(f"{len(marked)} of {', '.join(codes)} are 1 and not exactly one")
        return Row(
            image_id=image_id,
            file=file,
            label=marked[0],
            diagnosis=diagnosis_of(marked[0]),
            lesion_id=text(record.get("lesion_id")),
            sex=text(record.get("sex")),
            age_approx=years(record.get("age_approx")),
            anatom_site=text(record.get("anatom_site_general")),
            official_split=text(record.get("official_split")),
        )

    return row


def _format(codes: tuple[str, ...], beside: frozenset[str]) -> Format:
    return Format(frozenset({"image", *codes}), row_of(codes), beside=beside, key="image", split_in_name=True)


FORMAT_2018 = _format(ISIC2018, LESIONS)
FORMAT_2019 = _format(ISIC2019, METADATA)
