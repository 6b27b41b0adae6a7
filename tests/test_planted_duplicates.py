"""The duplicates that the phantom plants, found again by the stages that know nothing of its truth."""

from itertools import combinations
from pathlib import Path

import pandas as pd
import pytest
import yaml

from pipeline import split
from pipeline.grouping import group_ids
from tests.sources import packed_phantom


@pytest.mark.parametrize("images", [700, pytest.param(5000, marks=pytest.mark.proof)])
def test_every_planted_duplicate_is_found_and_few_others_are_joined(
    images: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    params = yaml.safe_load((Path(__file__).parent.parent / "params.yaml").read_text())
    params["phantom"]["images"] = images
    monkeypatch.chdir(tmp_path)
    Path("params.yaml").write_text(yaml.safe_dump(params))
    packed_phantom()
    split.main()

    truth = pd.read_csv("data/raw/phantom/truth.csv", keep_default_na=False)
    copies = truth[truth["duplicate_of"] != ""]
    planted = set(zip(copies["duplicate_of"], copies["image_id"], strict=True))
    assert {"duplicate", "near_duplicate"} == set(copies["fault"])
    splits, duplicates = pd.read_csv("data/splits.csv"), pd.read_csv("data/duplicates.csv")
    row = splits.set_index("image_id")["row"]
    pairs = duplicates[["first_row", "second_row"]].to_numpy()
    component = group_ids(splits["image_id"], [], pairs).set_axis(splits["image_id"])
    missed = [(original, copy) for original, copy in planted if component[original] != component[copy]]
    assert missed == []
    members = component.index.to_series().groupby(component.to_numpy()).apply(list)
    joined = {tuple(sorted(pair)) for names in members for pair in combinations(names, 2)}
    others = joined - {tuple(sorted(pair)) for pair in planted}
    possible = len(row) * (len(row) - 1) // 2
    print(f"{len(planted)} planted, {len(others)} of {possible} others joined")
    assert len(others) <= 0.0001 * possible  # a tenth of what would do little harm
