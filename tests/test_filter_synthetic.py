"""The filter keeps what enough of the baseline's classifiers call by its class, and schemes are trained on that."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from pipeline import filter_synthetic, train_classifier, train_classifier_filtered
from pipeline.errors import InputError
from pipeline.experiment import run_experiment
from pipeline.params.classes import TARGETS
from pipeline.store import read_json
from pipeline.trained_classifier import read_classifier
from pipeline.training.batches import as_tensor
from pipeline.training.classifier import predict


@pytest.fixture
def filtered(experiment):
    """Two baseline classifiers and twenty synthetic images of each class; filters with so many votes."""
    params = experiment()
    for class_name in TARGETS:
        directory = Path(f"data/synthetic/{class_name}/0")
        directory.mkdir(parents=True)
        noise = np.random.default_rng(TARGETS[class_name]).integers(0, 256, (20, 32, 32, 3), dtype=np.uint8)
        np.save(directory / "images.npy", noise)

    def run(votes: float, synthetic: float = 0.1) -> None:
        scheme = {**params["classifier"]["gan_schemes"]["gan_plus_10"], "synthetic": synthetic, "votes": votes}
        params["classifier"] |= {"filtered_schemes": {"gan_filtered": scheme}, "seeds": [0, 1]}
        Path("params.yaml").write_text(yaml.safe_dump(params))
        for seed in ("0", "1"):
            train_classifier.main("baseline", seed)
        filter_synthetic.main("gan_filtered")

    return run


def votes_of(class_name: str) -> np.ndarray:
    """By the classifiers' own probabilities, one at a time."""
    images = as_tensor(np.load(f"data/synthetic/{class_name}/0/images.npy"), "cpu")
    agreed = np.zeros(20)
    for seed in ("0", "1"):
        network, built_with = read_classifier(Path(f"data/checkpoints/classifier/baseline/{seed}"), "cpu")
        probability = predict(network, images, built_with["test_time_augmentation"])
        agreed += (probability >= built_with["threshold"]) == (class_name == "malignant")
    return agreed / 2


def test_images_with_enough_votes_are_kept_in_their_order(filtered) -> None:
    for needed in (0.5, 1.0):
        filtered(needed)
        for class_name in TARGETS:
            folder = Path(f"data/filtered/gan_filtered/{class_name}/0")
            synthetic = np.load(f"data/synthetic/{class_name}/0/images.npy")
            votes = votes_of(class_name)
            assert np.array_equal(np.load(folder / "images.npy"), synthetic[votes >= needed])
            table = pd.read_csv(folder / "votes.csv")
            assert list(table["votes"]) == list(votes)
            assert list(table["kept"]) == list(votes >= needed)


def test_a_scheme_is_trained_on_what_was_kept(filtered, monkeypatch: pytest.MonkeyPatch) -> None:
    filtered(0.5)
    keep = np.load("data/filtered/gan_filtered/malignant/0/images.npy")
    marked = np.full_like(np.resize(keep, (20, 32, 32, 3)), 7)
    for class_name in TARGETS:
        np.save(f"data/filtered/gan_filtered/{class_name}/0/images.npy", marked)
    shown = []

    def note(params, scheme, name, seed, added, **rest):
        shown.extend(int(images.max()) for images, _ in added)
        return run_experiment(params, scheme, name, seed, added, **rest)

    monkeypatch.setattr("pipeline.synthetic_experiment.run_experiment", note)
    train_classifier_filtered.main("gan_filtered", "1")
    assert shown == [7, 7]
    assert read_json(Path("data/checkpoints/classifier/gan_filtered/1/model.json"))["synthetic_images"] == 3


def test_too_few_that_are_believed_is_an_error_with_its_remedy(filtered) -> None:
    filtered(0.5, synthetic=5.0)
    with pytest.raises(InputError, match=r"data/filtered/gan_filtered/benign/0 holds \d+; raise synthesize.count"):
        train_classifier_filtered.main("gan_filtered", "0")
