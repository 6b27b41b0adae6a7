"""Controls: they find what is planted, and nothing where there is nothing."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from pipeline import control_metadata, control_synthetic, control_view
from pipeline.hiding import BORDER, CENTRE, border_only, lesion_hidden
from pipeline.metrics.guessing import guess
from pipeline.params.classes import TARGETS

RNG = np.random.default_rng(0)


def test_what_is_covered_tells_nothing_and_what_is_left_is_untouched() -> None:
    images = RNG.integers(0, 256, (3, 40, 40, 3), dtype=np.uint8)
    masks = np.zeros((3, 40, 40), dtype=np.uint8)
    masks[1, :, 30:36] = 255  # reaches beyond the disc
    place = (np.arange(40) + 0.5) / 20 - 1
    distance = np.hypot(*np.meshgrid(place, place))
    for view, reach in ((lesion_hidden, CENTRE), (border_only, BORDER)):
        covered = view(images, masks)
        for image, original in zip(covered[[0, 2]], images[[0, 2]], strict=True):
            assert (image[distance < reach] == image[20, 20]).all()
            assert np.array_equal(image[distance >= reach], original[distance >= reach])
        assert (covered[1][:, 30:36] == covered[1][20, 20]).all()
        assert (covered[1][:, 29] == covered[1][20, 20]).all()  # the margin
        assert np.array_equal(covered[0], view(images, None)[0])
        inside = images.copy()
        inside[:, distance < 0.5 * reach] = 0
        assert np.array_equal(view(inside, masks), covered)  # nothing of the middle is left


def test_a_lesion_that_fills_the_image_leaves_one_colour() -> None:
    images, masks = RNG.integers(0, 256, (1, 16, 16, 3), dtype=np.uint8), np.full((1, 16, 16), 255, dtype=np.uint8)
    assert len(np.unique(lesion_hidden(images, masks)[0].reshape(-1, 3), axis=0)) == 1


def test_names_tell_what_they_told_before_and_new_ones_tell_nothing() -> None:
    known = np.array([["a", "x"], ["a", "y"], ["b", "x"], ["b", "y"]] * 20, dtype=object)
    target = np.array([1, 1, 0, 0] * 20)
    told = guess(known, target, np.array([["a", "x"], ["b", "y"], ["c", "x"], ["c", "z"]], dtype=object))
    assert told[0] > 0.9
    assert told[1] < 0.1
    assert told[2:] == pytest.approx(0.5, abs=0.05)


@pytest.fixture
def here(experiment) -> pd.DataFrame:
    """A tiny experiment whose metadata say nothing of the label."""
    params = experiment(images=240)
    params["classifier"]["train"] |= {"steps": 60, "batch_size": 16, "evaluate_steps": 20}
    Path("params.yaml").write_text(yaml.safe_dump(params))
    splits = pd.read_csv("data/splits.csv")
    values = {name: RNG.choice(["p", "q"], len(splits)) for name in ("sex", "age_approx", "anatom_site", "source")}
    reduced = pd.DataFrame({"image_id": splits["image_id"], **values})
    reduced.to_csv("data/reduced.csv", index=False)
    return splits


def report(name: str) -> dict[str, dict[str, float]]:
    return json.loads(Path(f"reports/controls/{name}.json").read_text())


def test_metadata_that_say_nothing_and_an_archive_that_gives_the_label_away(here: pd.DataFrame) -> None:
    control_metadata.main()
    honest = report("metadata")
    assert all(found["auc_ci_low"] < 0.5 < found["auc_ci_high"] for found in honest.values())
    reduced = pd.read_csv("data/reduced.csv")
    malignant = reduced["image_id"].isin(here.loc[here["target"] == 1, "image_id"])
    reduced["source"] = np.where(malignant & (RNG.random(len(reduced)) < 0.9), "clinic", "archive")
    reduced.to_csv("data/reduced.csv", index=False)
    control_metadata.main()
    planted = report("metadata")
    assert planted["source"]["auc_ci_low"] > 0.8
    assert planted["site"] == honest["site"]
    assert planted["metadata"]["auc"] == pytest.approx(planted["source"]["auc"], abs=0.05)


def test_a_mark_at_the_border_is_found_and_a_lesion_under_the_cover_is_not(here: pd.DataFrame) -> None:
    control_view.main("lesion_hidden")
    assert report("lesion_hidden")["auc"] < 0.75  # the label is in a dark square in the middle alone
    images = np.load("data/images/images.npy")
    images[here.loc[here["target"] == 1, "row"], :4] = 250
    np.save("data/images/images.npy", images)
    control_view.main("border_only")
    assert report("border_only")["auc"] > 0.9
    assert Path("reports/controls/border_only.png").is_file()


@pytest.mark.parametrize("alike", [False, True])
def test_synthetic_images_are_told_only_where_they_differ(here: pd.DataFrame, alike: bool) -> None:
    images = np.load("data/images/images.npy")
    malignant = here.loc[here["target"] == TARGETS["malignant"], "row"].to_numpy()
    drawn = RNG.permutation(images[RNG.choice(malignant, 100)])
    if not alike:
        drawn = drawn // 2 + 100  # paler
    directory = Path("data/synthetic/malignant/0")
    directory.mkdir(parents=True)
    np.save(directory / "images.npy", drawn)
    control_synthetic.main("malignant", "0")
    found = report("synthetic_malignant_0")
    assert found["auc_ci_low"] < 0.6 if alike else found["auc_ci_low"] > 0.9


def test_synthetic_images_are_dealt_out_in_the_shares_of_the_real_ones() -> None:
    real = pd.DataFrame({"image_id": list("abcdefgh"), "group_id": list("aacdefgh"), "target": 1, "row": range(8, 16)})
    real["split"] = ["train"] * 4 + ["val"] * 2 + ["test"] * 2
    table = control_synthetic.dealt(real, 20)
    assert table["row"].tolist() == list(range(28))
    assert table.groupby(["target", "split"]).size().to_dict() == {
        (0, "train"): 4,
        (0, "val"): 2,
        (0, "test"): 2,
        (1, "train"): 10,
        (1, "val"): 5,
        (1, "test"): 5,
    }
    assert table["image_id"].is_unique
