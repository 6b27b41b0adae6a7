"""The command that scores image files with a trained classifier."""

import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from sklearn.metrics import roc_curve

from pipeline import predict, train_classifier

CHECKPOINT = Path("data/checkpoints/classifier/classic/0")


def run(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int | str | None:
    monkeypatch.setattr(sys, "argv", ["predict", *map(str, arguments)])
    with pytest.raises(SystemExit) as caught:
        predict.main()
    return caught.value.code


@pytest.fixture
def predictions(experiment) -> pd.DataFrame:
    """What training predicted, after it; the packed images are written as files, by row."""
    experiment()
    train_classifier.main("classic", "0")
    for row, pixels in enumerate(np.load("data/images/images.npy")):
        Image.fromarray(pixels).save(f"{row}.png")
    splits = pd.read_csv("data/splits.csv").set_index("image_id")["row"]
    table = pd.read_csv("data/predictions/classic/0.csv")
    return table.assign(row=table["image_id"].map(splits))


def test_files_get_the_probability_of_training_and_the_threshold_of_val(predictions, monkeypatch, capsys):
    chosen = predictions.iloc[::5]
    capsys.readouterr()
    assert run(monkeypatch, "--checkpoint", CHECKPOINT, *(f"{row}.png" for row in chosen["row"])) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "file,probability,threshold,call"
    printed = [line.split(",") for line in lines[1:]]
    assert [float(line[1]) for line in printed] == pytest.approx(chosen["probability"].tolist(), abs=1e-4)
    val = predictions[predictions["split"] == "val"]
    false_rate, true_rate, thresholds = roc_curve(val["target"], val["probability"], drop_intermediate=False)
    best = thresholds[1:][np.argmax((true_rate - false_rate)[1:])]
    assert [float(line[2]) for line in printed] == pytest.approx([best] * len(printed), abs=1e-4)
    for line, probability in zip(printed, chosen["probability"], strict=True):
        if abs(probability - best) > 1e-6:  # the threshold is an image's own probability, up to the last digit
            assert line[3] == ("malignant" if probability > best else "benign")


def test_what_is_no_image_is_refused_and_the_others_are_scored(predictions, monkeypatch, capsys):
    Path("note.jpg").write_text("no image")
    capsys.readouterr()
    assert run(monkeypatch, "--checkpoint", CHECKPOINT, "0.png", "note.jpg", "absent.png") == 1
    captured = capsys.readouterr()
    assert len(captured.out.splitlines()) == 2
    assert captured.err.splitlines() == ["predict: note.jpg: not an image", "predict: absent.png: missing"]


def test_a_folder_that_holds_no_classifier_is_named(predictions, monkeypatch):
    assert "holds no model.json" in str(run(monkeypatch, "--checkpoint", "data/images", "0.png"))
    (CHECKPOINT / "model.json").write_text("{}")
    assert "it is no classifier's" in str(run(monkeypatch, "--checkpoint", CHECKPOINT, "0.png"))
