"""Stage control_metadata: metadata of the splits in; how well sex, age, site and source tell the label out.

Together, and each alone. A value that is missing is a value too: an archive that notes the site of what was cut out
only gives the label away.
"""

from pathlib import Path

import numpy as np
from pydantic import Field

from pipeline.held_out import SPLITS, read_splits
from pipeline.metrics.auc_inference import TestSet, auc_estimate
from pipeline.metrics.guessing import guess
from pipeline.metrics.schemes import auc_report
from pipeline.params.evaluate import EvaluateParams
from pipeline.params.reader import StageParams, read_params
from pipeline.stage import run_stage
from pipeline.store import read_csv, write_json

REDUCED = Path("data/reduced.csv")
CONTROL = Path("reports/controls/metadata.json")
ALONE = {"sex": "sex", "age": "age_approx", "site": "anatom_site", "source": "source"}  # columns of data/reduced.csv
COLUMNS = {"metadata": list(ALONE.values()), **{name: [column] for name, column in ALONE.items()}}


class Params(StageParams):
    evaluate: EvaluateParams = Field(alias="evaluate")


def main() -> None:
    params = read_params(Params)
    _, test = read_splits()
    known = read_csv(REDUCED, dtype=str, keep_default_na=False).set_index("image_id")
    splits = read_csv(SPLITS)
    train = splits[splits["split"] == "train"]
    report = {}
    for name, columns in COLUMNS.items():
        seen, asked = (known.loc[ids, columns].to_numpy(dtype=object) for ids in (train["image_id"], test.image_ids))
        probability = guess(seen, train["target"].to_numpy(dtype=np.int64), asked)
        auc = auc_estimate(TestSet(test.target, test.group), probability[np.newaxis])
        report[name] = auc_report(auc, params.evaluate.confidence) | {"test_images": len(test.target)}
    write_json(CONTROL, report)


if __name__ == "__main__":
    run_stage(main)
