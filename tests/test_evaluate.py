"""The evaluate stage on tiny predictions."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from pipeline import evaluate, held_out, predictions
from pipeline.errors import InputError
from pipeline.metrics.ranking import threshold_youden
from pipeline.params.reader import read_tree
from pipeline.reporting import audit

ROOT = Path(__file__).parents[1]
SCHEMES = ("baseline", "classic", "oversample", "gan_balanced", "gan_plus_10")
AUC_KEYS = {"auc", "auc_ci_low", "auc_ci_high", "auc_gain", "auc_gain_over_placebo", "verdict"}
CLASSIFIER_KEYS = AUC_KEYS | {
    *("auc_std", "auc_per_seed", "auc_gain_ci_low", "auc_gain_ci_high", "intervals_carry_seed_error"),
    *("auc_gain_over_placebo_ci_low", "auc_gain_over_placebo_ci_high", "auc_gain_over_classic"),
    *("auc_gain_over_classic_ci_low", "auc_gain_over_classic_ci_high", "p_holm", "average_precision", "pauc_tpr80"),
    *("sensitivity_at_90_specificity", "balanced_accuracy", "brier", "ece", "train_images", "synthetic_images"),
    *("optimizer_steps", "detectable_gain", "test_images", "test_malignant", "test_groups", "seeds"),
    *("auc_gain_p", "auc_gain_p_delong", "auc_gain_over_classic_p", "auc_gain_over_classic_p_delong", "generators"),
    *("auc_gain_over_placebo_p", "auc_gain_over_placebo_p_delong", "specificity_at_90_sensitivity", "mcc"),
    *("brier_miscalibration", "brier_discrimination", "brier_uncertainty", "adaptive_ece", "temperature"),
    *("brier_at_temperature", "ece_at_temperature", "adaptive_ece_at_temperature", "thresholds_from_val"),
    *("auc_fall_from_val", "auc_fall_from_val_ci_low", "auc_fall_from_val_ci_high"),
}


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A working directory with params, splits, and predictions in which gan_balanced is far the best."""
    monkeypatch.chdir(tmp_path)
    Path("params.yaml").write_text(yaml.safe_dump(read_tree(ROOT / "params.yaml")))
    rng = np.random.default_rng(0)
    splits = pd.DataFrame({"image_id": [f"image_{i}" for i in range(300)], "row": range(300)})
    splits["target"] = rng.integers(0, 2, 300)
    splits["split"] = np.repeat(["train", "val", "test"], 100)
    splits["group_id"] = [f"group_{i // 2}" for i in range(300)]
    Path("data").mkdir()
    splits.to_csv(held_out.SPLITS, index=False)
    noise = rng.normal(size=300)
    for scheme in SCHEMES:
        for seed in range(3):
            strength = 8 if scheme == "gan_balanced" else 1
            logit = strength * splits["target"] + noise + rng.normal(size=300) * 0.3
            write_run(scheme, seed, splits, 1 / (1 + np.exp(-logit)))
    return tmp_path


def write_run(scheme, seed, splits, probability):
    path = predictions.PREDICTIONS / scheme / f"{seed}.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    table = splits[["image_id", "split", "target"]].assign(probability=probability)
    table[table["split"] != "train"].sample(frac=1, random_state=seed).to_csv(path, index=False)
    model = evaluate.CHECKPOINTS / scheme / str(seed) / "model.json"
    model.parent.mkdir(parents=True, exist_ok=True)
    val = table[table["split"] == "val"]
    threshold = threshold_youden(val["target"].to_numpy(), val["probability"].to_numpy())
    facts = {"train_images": 100, "synthetic_images": seed, "optimizer_steps": 150, "threshold": threshold}
    model.write_text(json.dumps(facts))


def report_of(scheme):
    return json.loads((evaluate.CLASSIFIER / f"{scheme}.json").read_text())


def change_params(**classifier):
    tree = read_tree()
    tree["classifier"] |= classifier
    Path("params.yaml").write_text(yaml.safe_dump(tree))


def contents(directory):
    return {path: path.read_bytes() for path in sorted(directory.rglob("*")) if path.is_file()}


def test_every_scheme_gets_both_reports(here):
    evaluate.main()
    assert {path.stem for path in evaluate.AUC.iterdir()} == set(SCHEMES)
    for scheme in SCHEMES:
        report = report_of(scheme)
        assert set(report) == CLASSIFIER_KEYS
        auc = json.loads((evaluate.AUC / f"{scheme}.json").read_text())
        assert auc == {key: report[key] for key in AUC_KEYS}
        assert report["auc"] == pytest.approx(np.mean(report["auc_per_seed"]))
        assert (report["test_images"], report["test_groups"], report["synthetic_images"]) == (100, 50, 1)


def test_verdicts_and_references(here):
    evaluate.main()
    best, baseline = report_of("gan_balanced"), report_of("baseline")
    assert (best["verdict"], baseline["verdict"]) == ("helps", "reference")
    assert report_of("gan_plus_10")["verdict"] == "no detectable effect"
    assert best["auc_gain"] == pytest.approx(best["auc"] - baseline["auc"])
    assert best["auc_gain_ci_low"] < best["auc_gain"] < best["auc_gain_ci_high"]
    assert (baseline["auc_gain"], baseline["p_holm"], baseline["detectable_gain"]) == (0, None, None)


def test_seeds_that_share_a_generator_are_told_apart_from_those_that_do_not(here):
    evaluate.main()
    one = report_of("gan_balanced"), report_of("classic")
    assert [report["generators"] for report in one] == [1, 0]
    tree = read_tree()
    tree["gan"]["seeds"] = [0, 1]  # of three classifiers the first and the last see the same
    Path("params.yaml").write_text(yaml.safe_dump(tree))
    evaluate.main()
    two = report_of("gan_balanced"), report_of("classic")
    assert two[0]["generators"] == 2
    assert two[0]["auc_gain_p"] > one[0]["auc_gain_p"]
    assert two[0]["auc_gain_p_delong"] == one[0]["auc_gain_p_delong"]
    assert two[1] == one[1]


def test_predictions_in_any_order_are_matched_by_image(here):
    evaluate.main()
    table = pd.read_csv("data/predictions/classic/0.csv").merge(pd.read_csv(held_out.SPLITS)[["image_id", "split"]])
    test = table[table["split"] == "test"]
    wins = [np.mean(p > test[test["target"] == 0]["probability"]) for p in test[test["target"] == 1]["probability"]]
    assert report_of("classic")["auc_per_seed"][0] == pytest.approx(np.mean(wins))


def test_thresholds_come_from_val(here):
    for seed in range(3):
        path = predictions.PREDICTIONS / "classic" / f"{seed}.csv"
        table = pd.read_csv(path)
        table.loc[table["split"] == "val", "probability"] /= 1e6  # a threshold from there calls every test image
        table.to_csv(path, index=False)
    evaluate.main()
    report = report_of("classic")
    assert report["balanced_accuracy"] == pytest.approx(0.5)
    assert report["sensitivity_at_90_specificity"] == 1


def test_a_second_run_writes_the_same_bytes(here):
    evaluate.main()
    first = contents(here / "reports")
    evaluate.main()
    assert contents(here / "reports") == first


def test_a_dropped_scheme_leaves_nothing_behind(here):
    evaluate.main()
    change_params(gan_schemes={})
    evaluate.main()
    assert {path.stem for path in evaluate.CLASSIFIER.iterdir()} == {"baseline", "classic", "oversample"}


def test_without_a_rival_nothing_is_tested(here):
    schemes = read_tree()["classifier"]["real_schemes"]
    change_params(real_schemes={"baseline": schemes["baseline"], "classic": schemes["classic"]})
    evaluate.main()
    report = report_of("gan_balanced")
    assert (report["verdict"], report["p_holm"], report["auc_gain_over_placebo"]) == ("not tested", None, None)


def test_one_seed_says_that_its_intervals_lack_the_seeds(here):
    change_params(seeds=[1])
    evaluate.main()
    report = report_of("classic")
    assert (report["intervals_carry_seed_error"], report["auc_std"], report["seeds"]) == (False, None, [1])


def test_curves_are_tidy_and_small(here):
    evaluate.main()
    roc, pr, calibration = (pd.read_csv(path) for path in (evaluate.ROC, evaluate.PR, evaluate.CALIBRATION))
    assert list(roc) == ["series", "false_positive_rate", "true_positive_rate"]
    assert list(pr) == ["series", "recall", "precision"]
    assert roc.groupby("series").size().max() <= 200
    for scheme, rows in roc.groupby("series"):
        area = np.trapezoid(rows["true_positive_rate"], rows["false_positive_rate"])
        assert area == pytest.approx(report_of(scheme)["auc"], abs=0.01)
    assert calibration.groupby("series")["predictions"].sum().eq(300).all()


def test_a_threshold_chosen_on_test_is_noticed(here):
    evaluate.main()
    assert report_of("classic")["thresholds_from_val"] is True
    table = pd.read_csv(predictions.PREDICTIONS / "classic/1.csv").query("split == 'test'")
    path = evaluate.CHECKPOINTS / "classic/1/model.json"
    model = json.loads(path.read_text())
    chosen = threshold_youden(table["target"].to_numpy(), table["probability"].to_numpy())
    path.write_text(json.dumps(model | {"threshold": chosen}))
    evaluate.main()
    assert report_of("classic")["thresholds_from_val"] is False
    assert report_of("baseline")["thresholds_from_val"] is True


@pytest.mark.parametrize("share", [0.0, 0.25])
def test_label_noise_in_the_test_split_is_noticed(here, share):
    """Labels of a quarter of the test images are turned over, in the splits and in every prediction alike."""
    splits = pd.read_csv(held_out.SPLITS)
    rng = np.random.default_rng(1)
    noisy = (splits["split"] == "test") & (rng.random(300) < share)
    splits.loc[noisy, "target"] = 1 - splits.loc[noisy, "target"]
    splits.to_csv(held_out.SPLITS, index=False)
    for path in predictions.PREDICTIONS.rglob("*.csv"):
        table = pd.read_csv(path).drop(columns="target").merge(splits[["image_id", "target"]])
        table.to_csv(path, index=False)
    evaluate.main()
    report = report_of("gan_balanced")
    assert audit.test_like_val("gan_balanced", report).alarm == (share > 0)


def without_an_image(table):
    return table.iloc[1:]


def with_an_image_twice(table):
    return pd.concat([table, table.iloc[:1]])


def with_another_label(table):
    return table.assign(target=1 - table["target"])


def with_a_gap(table):
    return table.assign(probability=[np.nan, *table["probability"][1:]])


def with_a_percentage(table):
    return table.assign(probability=[54.0, *table["probability"][1:]])


def without_a_column(table):
    return table.drop(columns="probability")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (without_an_image, r"classic/2.csv has 99 \w+ images, data/splits.csv has 100"),
        (with_an_image_twice, r"classic/2.csv has 101 \w+ images, data/splits.csv has 100"),
        (with_another_label, "classic/2.csv has other val labels"),
        (with_a_gap, "classic/2.csv has a probability that is missing or outside"),
        (with_a_percentage, "classic/2.csv has a probability that is missing or outside"),
        (without_a_column, "classic/2.csv lacks the column probability"),
    ],
)
def test_predictions_about_other_images_are_refused(here, change, message):
    path = predictions.PREDICTIONS / "classic" / "2.csv"
    change(pd.read_csv(path)).to_csv(path, index=False)
    with pytest.raises(InputError, match=message):
        evaluate.main()
    assert not evaluate.AUC.exists()


@pytest.mark.parametrize("name", ["data/predictions/classic/2.csv", "data/checkpoints/classifier/classic/2/model.json"])
def test_a_missing_file_is_named(here, name):
    Path(name).unlink()
    with pytest.raises(InputError, match=name):
        evaluate.main()


def test_a_split_without_malignant_images_is_refused(here):
    splits = pd.read_csv(held_out.SPLITS)
    splits[(splits["split"] != "test") | (splits["target"] == 0)].to_csv(held_out.SPLITS, index=False)
    with pytest.raises(InputError, match="no malignant image in split test"):
        evaluate.main()
