"""Stage index: a folder of images and masks, or a table of them, in; pairs and whose they are out."""

from pathlib import Path
from typing import Any

import pandas as pd
from pydantic import Field

from pipeline.params.reader import StageParams, read_params
from pipeline.stage import run_stage
from pipeline.store import write_csv, write_json
from segmentation.pairs import find_pairs
from segmentation.params import PARAMS, SourceParams

PAIRS = Path("data/segmentation/pairs.csv")
REPORT = Path("reports/segmentation/index.json")


class Params(StageParams):
    source: SourceParams = Field(alias="source")


def main() -> None:
    pairs, without_mask = find_pairs(read_params(Params, PARAMS).source)
    report: dict[str, Any] = summary(pairs, without_mask)
    write_csv(PAIRS, pairs)
    write_json(REPORT, report)
    print(f"{report['pairs']} pairs of {report['patients']} patients; {without_mask} images without a mask")


def summary(pairs: pd.DataFrame, without_mask: int) -> dict[str, Any]:
    return {"pairs": len(pairs), "patients": int(pairs["patient_id"].nunique()), "without_mask": without_mask}


if __name__ == "__main__":
    run_stage(main)
