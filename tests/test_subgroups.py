"""Parts of the test split: who is in which, and what is said of each, against counts and closed forms."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import scipy.stats
import sklearn.metrics
from PIL import Image, ImageCms

from pipeline import skin_tone, subgroups
from pipeline.dermoscopy.skin import TONES
from pipeline.metrics.auc_inference import Estimate
from pipeline.metrics.schemes import Run
from pipeline.metrics.subgroups import effective_size, part_report, wilson

RNG = np.random.default_rng(0)


@pytest.mark.parametrize(("called", "images"), [(0, 8), (3, 8), (8, 8), (41, 300)])
def test_the_interval_of_a_share_is_wilsons(called: int, images: int) -> None:
    expected = scipy.stats.binomtest(called, images).proportion_ci(0.9, method="wilson")
    assert wilson(called / images, images, 0.9) == pytest.approx((expected.low, expected.high))


def test_images_that_move_together_count_as_fewer() -> None:
    independent = Estimate(0.3, np.sqrt(0.3 * 0.7 / 50), 49, seed_error=True)
    assert effective_size(independent, 50) == pytest.approx(50)
    assert effective_size(Estimate(0.3, 2 * independent.standard_error, 49, seed_error=True), 50) == pytest.approx(12.5)
    assert effective_size(Estimate(0.3, 0.001, 49, seed_error=True), 50) == 50
    assert effective_size(Estimate(1.0, 0.0, 49, seed_error=True), 50) == 50


def runs(images: int) -> tuple[np.ndarray, dict[str, Run]]:
    target = np.append([0, 0, 1, 1], RNG.integers(0, 2, images - 4))
    scores = {name: 1 / (1 + np.exp(-(target + RNG.normal(size=(3, images))))) for name in ("classic", "gan_balanced")}
    return target, {name: Run(score, score) for name, score in scores.items()}


def test_a_part_is_scored_like_a_test_split_of_its_own() -> None:
    target, of_scheme = runs(200)
    member = np.arange(200) % 3 == 0
    report = part_report(of_scheme, target, target, np.arange(200), member, 0.95)
    assert (report["images"], report["malignant"], report["groups"]) == (67, target[member].sum(), 67)
    for name, run in of_scheme.items():
        found = report["schemes"][name]
        areas = [sklearn.metrics.roc_auc_score(target[member], score[member]) for score in run.test]
        assert found["auc"] == pytest.approx(np.mean(areas))
        shares = []
        for score in run.test:  # the threshold is that of all validation images, not of the part's
            uncalled = np.sort(score[target == 0])[-(np.sum(target == 0) // 10)]
            shares.append(np.mean(score[member & (target == 1)] >= uncalled))
        assert found["sensitivity"] == pytest.approx(np.mean(shares), abs=0.02)
        assert found["sensitivity_ci_low"] < found["sensitivity"] < found["sensitivity_ci_high"]
    gain = report["schemes"]["gan_balanced"]["auc_gain_over_classic"]
    both = [report["schemes"][name]["auc"] for name in ("gan_balanced", "classic")]
    assert gain == pytest.approx(both[0] - both[1])
    assert "auc_gain_over_classic" not in report["schemes"]["classic"]


def test_sensitivity_and_specificity_are_of_their_own_class() -> None:
    target, (low, high) = np.tile([0, 1], 50), (np.full((1, 100), 0.1), np.full((1, 100), 0.9))
    sharp = np.where(target == 1, high, low)
    report = part_report({"classic": Run(sharp, sharp)}, target, target, np.arange(100), np.ones(100, dtype=bool), 0.95)
    found = report["schemes"]["classic"]
    assert (found["sensitivity"], found["specificity"]) == (1, 1)
    assert found["sensitivity_ci_low"] == pytest.approx(wilson(1.0, 50, 0.95)[0])  # all right says little of fifty


@pytest.mark.parametrize(("malignant", "few", "scored"), [(20, False, True), (9, True, True), (1, True, False)])
def test_few_images_are_marked_and_too_few_are_not_scored(malignant: int, few: bool, scored: bool) -> None:
    target = np.repeat([1, 0], [malignant, 40])
    score = RNG.random((2, len(target)))
    whole = np.ones(len(target), dtype=bool)
    report = part_report({"classic": Run(score, score)}, target, target, np.arange(len(target)), whole, 0.95)
    assert (report["few"], bool(report["schemes"])) == (few, scored)


def test_the_angle_is_that_of_a_colour_management_system() -> None:
    srgb, lab = ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB", 6500)
    convert = ImageCms.buildTransform(srgb, lab, "RGB", "LAB", ImageCms.Intent.ABSOLUTE_COLORIMETRIC)
    for colour in TONES.astype(np.uint8):
        image = np.broadcast_to(colour, (1, 32, 32, 3))
        theirs = np.array(ImageCms.applyTransform(Image.fromarray(image[0]), convert))[0, 0].astype(float)
        lightness, yellow = theirs[0] / 2.55, float(theirs[2].astype(np.uint8).view(np.int8))
        expected = np.degrees(np.arctan2(lightness - 50, yellow))
        assert skin_tone.typology_angle(image)[0] == pytest.approx(expected, abs=6)  # theirs in steps of 1 of 255


def test_lesion_frame_and_hair_do_not_darken_the_skin() -> None:
    size = 64
    plain = np.broadcast_to(TONES[1].astype(np.uint8), (1, size, size, 3)).copy()
    covered = plain.copy()
    covered[:, 16:48, 16:48] = (80, 40, 30)  # a lesion
    covered[:, :, :6] = 0  # a frame
    covered[:, 50, :] = 20  # a hair
    assert skin_tone.typology_angle(covered) == pytest.approx(skin_tone.typology_angle(plain))
    assert np.isnan(skin_tone.typology_angle(np.zeros_like(plain)))
    assert skin_tone.tone(float("nan")) == ""
    assert [skin_tone.tone(angle) for angle in (80, 55, 54, 29, 11, 0, -31)] == (
        ["very light", "very light", "light", "intermediate", "tan", "brown", "dark"]
    )


def test_the_angle_falls_with_the_phantoms_darker_skin() -> None:
    images = np.broadcast_to(TONES.astype(np.uint8)[:, None, None], (6, 16, 16, 3))
    assert np.all(np.diff(skin_tone.typology_angle(images)) < 0)


@pytest.fixture
def here(experiment) -> pd.DataFrame:
    """A tiny experiment with predictions of every scheme, and metadata."""
    params = experiment(images=120)
    splits = pd.read_csv("data/splits.csv")
    held_out = splits[splits["split"] != "train"]
    for scheme in [*params["classifier"]["real_schemes"], *params["classifier"]["gan_schemes"]]:
        for seed in params["classifier"]["seeds"]:
            Path(f"data/predictions/{scheme}").mkdir(parents=True, exist_ok=True)
            table = held_out[["image_id", "split", "target"]].assign(probability=RNG.random(len(held_out)))
            table.to_csv(f"data/predictions/{scheme}/{seed}.csv", index=False)
    number = splits["row"]
    reduced = pd.DataFrame({"image_id": splits["image_id"], "source": "here"})
    reduced["sex"] = np.where(number % 2, "male", "female")
    reduced["age_approx"] = np.where(number % 4 == 0, "", (20 + number % 70).astype(str))
    reduced["anatom_site"] = np.where(number % 5 == 0, "torso", "head/neck")
    reduced.sample(frac=1, random_state=0).to_csv("data/reduced.csv", index=False)  # in any order
    return reduced.merge(splits, on="image_id")


def test_every_test_image_is_in_one_part_of_each_attribute(here: pd.DataFrame) -> None:
    subgroups.main()
    parts = pd.DataFrame(json.loads(Path("reports/subgroups.json").read_text()))
    test = here[here["split"] == "test"]
    totals = parts.groupby("attribute")[["images", "malignant"]].sum()
    assert set(totals.index) == {"sex", "age", "site", "source", "skin tone"}
    assert (totals["images"] == len(test)).all()
    assert (totals["malignant"] == test["target"].sum()).all()
    of_sex = parts[parts["attribute"] == "sex"].set_index("part")
    for sex, rows in test.groupby("sex"):
        assert of_sex.loc[sex, ["images", "malignant"]].tolist() == [len(rows), rows["target"].sum()]
    ages = parts[parts["attribute"] == "age"]["part"].tolist()
    assert ages == [name for name in [*subgroups.AGES, "unknown"] if name in ages]
    assert ages[-1] == "unknown"


def test_gray_images_have_no_skin_tone(here: pd.DataFrame) -> None:
    images = np.load("data/images/images.npy")
    np.save("data/images/images.npy", images[:, :, :, :1])
    subgroups.main()
    parts = json.loads(Path("reports/subgroups.json").read_text())
    assert "skin tone" not in {part["attribute"] for part in parts}


@pytest.mark.parametrize(
    ("age", "band"), [("", "unknown"), ("0", "under 30"), ("30", "30 to 44"), ("85.0", "75 and over")]
)
def test_age_bands(age: str, band: str) -> None:
    assert subgroups.age_band(age) == band
