"""The card of the synthetic set: read by Croissant's own reader, with the licences of its training images."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import mlcroissant
import numpy as np
import pandas as pd
import pytest

from pipeline import data_card
from pipeline.licences import NOT_STATED, forbids_commerce, licence_counts


@pytest.fixture
def carded(experiment: Callable[..., dict[str, Any]]) -> Path:
    """Synthetic sets; every fifth training image is not for sale, and test images have a licence of their own."""
    experiment()
    splits = pd.read_csv("data/splits.csv")
    licence = np.where(splits["row"] % 5 == 0, "CC-BY-NC", "CC-0")
    licence[splits["split"] == "test"] = "secret"
    reduced = splits[["image_id"]].assign(licence=licence, attribution=np.where(licence == "CC-0", "", "A hospital"))
    reduced.to_csv("data/reduced.csv", index=False)
    for name in ("benign", "malignant"):
        directory = Path(f"data/synthetic/{name}/0")
        directory.mkdir(parents=True)
        np.save(directory / "images.npy", np.zeros((2, 32, 32, 3), np.uint8))
        rows = [
            "row,likeness,copy,nearest_image_id",
            "0,0.25,False,IMAGE_0001",
            ",0.75,True,IMAGE_0002",
            "1,0.5,False,7",
        ]
        (directory / "manifest.csv").write_text("\n".join(rows) + "\n")
    data_card.main()
    return data_card.CARD


@pytest.mark.filterwarnings("ignore")
def test_croissant_reads_the_card_and_the_records(carded: Path) -> None:
    dataset = mlcroissant.Dataset(jsonld=str(carded))
    assert not dataset.metadata.ctx.issues.errors
    drawn = list(dataset.records("malignant_0"))
    assert [record["malignant_0/likeness"] for record in drawn] == [0.25, 0.75, 0.5]
    assert [record["malignant_0/copy"] for record in drawn] == [False, True, False]


def test_a_changed_file_is_not_the_card_s(carded: Path) -> None:
    digest = {entry["name"]: entry["sha256"] for entry in json.loads(carded.read_text())["distribution"]}
    np.save("data/synthetic/benign/0/images.npy", np.ones((2, 32, 32, 3), np.uint8))
    data_card.main()
    changed = {entry["name"]: entry["sha256"] for entry in json.loads(carded.read_text())["distribution"]}
    assert {name for name in digest if digest[name] != changed[name]} == {"benign_0_images.npy"}


def test_the_licences_of_the_training_images_are_carried_over(carded: Path) -> None:
    card = json.loads(carded.read_text())
    assert card["license"] == ["CC-0", "CC-BY-NC"]
    assert card["creditText"] == ["A hospital", NOT_STATED]
    assert "CC-BY-NC, attribution A hospital: 6" in card["description"]
    assert "6 of them may not be used commercially" in card["description"]


def test_which_licences_forbid_commerce() -> None:
    assert all(
        map(forbids_commerce, ("CC-BY-NC", "cc by-nc-sa 4.0", "CC_BY_NC", "non-commercial use", "Noncommercial"))
    )
    assert not any(map(forbids_commerce, ("CC-0", "CC-BY", "CC-BY-SA 4.0", "encumbered", NOT_STATED)))


def test_licences_are_counted_for_the_images_that_were_used() -> None:
    reduced = pd.DataFrame(
        {"image_id": list("abcd"), "licence": ["x", "", "x", "y"], "attribution": ["p", "", "p", ""]}
    )
    assert licence_counts(reduced, pd.Series(list("abc"))) == [("x", "p", 2), (NOT_STATED, NOT_STATED, 1)]
