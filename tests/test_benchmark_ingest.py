import importlib.util

import pandas as pd
import pytest

from benchmarks.archive import LAYOUTS, PAGE, records
from pipeline.metadata import read_metadata
from tests.sources import source_of

COUNT = PAGE + 20
PARQUET = pytest.mark.skipif(importlib.util.find_spec("pyarrow") is None, reason="takes pyarrow, an optional extra")


@pytest.mark.parametrize(
    "layout", [pytest.param(name, marks=PARQUET if name == "parquet" else ()) for name in sorted(LAYOUTS)]
)
def test_every_layout_of_the_same_records_is_the_same_table(tmp_path, layout):
    (tmp_path / "expected").mkdir()
    (tmp_path / "found").mkdir()
    expected, _ = read_metadata(source_of(LAYOUTS["files"](tmp_path / "expected", COUNT)))
    found, report = read_metadata(source_of(LAYOUTS[layout](tmp_path / "found", COUNT)))
    assert report["records"] == report["rows"] == COUNT
    pd.testing.assert_frame_equal(found.drop(columns="origin"), expected.drop(columns="origin"))


def test_made_up_patients_have_several_lesions_and_lesions_several_images():
    clinical = pd.DataFrame([record["metadata"]["clinical"] for record in records(COUNT)])
    assert clinical.groupby("patient_id")["lesion_id"].nunique().max() > 1
    assert clinical["lesion_id"].value_counts().max() > 1
    assert (clinical.groupby("lesion_id")["patient_id"].nunique() == 1).all()
