"""The classifier, its loop and its two stages."""

import contextlib
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
import yaml

from models.classifier import Classifier
from pipeline import experiment as experiment_module
from pipeline import train_classifier, train_classifier_gan
from pipeline.checkpoints import load_weights, read_built_with, save_model
from pipeline.errors import InputError
from pipeline.experiment import added_per_class, pretrained_weights
from pipeline.params.classifier import ClassifierTrainParams
from pipeline.store import read_json
from pipeline.training.batches import as_tensor
from pipeline.training.classifier import ClassifierRun, predict, shown_order
from pipeline.training.classifier import train_classifier as train

PREDICTIONS = Path("data/predictions/classic/0.csv")
CHECKPOINT = Path("data/checkpoints/classifier/classic/0")


def small(**changed: Any) -> Classifier:
    torch.manual_seed(0)
    settings: dict[str, Any] = {
        "model": "efficientnet-b0",
        "width": 0.2,
        "depth": 0.2,
        "image_size": 32,
        "channels": 3,
        "frozen_blocks": 0,
        "batch_norm_momentum": 0.15,
        "dropout": 0.2,
    }
    return Classifier(**settings | changed)


@pytest.mark.parametrize("channels", [1, 3])
def test_logits_are_one_per_image_and_every_parameter_gets_a_gradient(channels: int) -> None:
    network = small(channels=channels)
    logits = network(torch.rand(4, channels, 32, 32) * 2 - 1)
    assert logits.shape == (4,)
    logits.sum().backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in network.parameters())


def test_batch_norm_momentum_is_torchs() -> None:
    """efficientnet-pytorch counts the other way round."""
    norms = [layer for layer in small().modules() if isinstance(layer, torch.nn.BatchNorm2d)]
    assert norms
    assert {round(norm.momentum, 6) for norm in norms} == {0.15}


def test_frozen_blocks_keep_weights_and_statistics_and_are_saved_once(tmp_path: Path) -> None:
    network = small(frozen_blocks=2)
    frozen, free = network.network._blocks[1], network.network._blocks[2]
    before = {name: value.clone() for name, value in frozen.state_dict().items()}
    before_free = {name: value.clone() for name, value in free.state_dict().items()}
    optimizer = torch.optim.SGD([p for p in network.parameters() if p.requires_grad], 0.1)
    network.train()
    network(torch.randn(8, 3, 32, 32)).sum().backward()
    optimizer.step()
    assert all(torch.equal(before[name], value) for name, value in frozen.state_dict().items())
    assert any(not torch.equal(before_free[name], value) for name, value in free.state_dict().items())
    save_model(tmp_path, network, {})
    again = small(frozen_blocks=2)
    load_weights(tmp_path, again)
    assert torch.equal(again.network._fc.weight, network.network._fc.weight)
    with pytest.raises(ValueError, match=r"classifier\.frozen_blocks is 99; efficientnet-b0 has"):
        small(frozen_blocks=99)


def test_pretrained_weights_are_taken_but_for_the_last_layer(tmp_path: Path) -> None:
    source, network = small(), small()
    with torch.no_grad():
        for weights in source.network.parameters():
            weights.add_(1)
    torch.save(source.network.state_dict(), tmp_path / "weights.pth")
    head = network.network._fc.weight.clone()
    network.load_pretrained(pretrained_weights(str(tmp_path / "weights.pth"), "efficientnet-b0"))
    assert torch.equal(network.network._conv_stem.weight, source.network._conv_stem.weight)
    assert torch.equal(network.network._fc.weight, head)
    with pytest.raises(ValueError, match="the weights are not of this model"):
        small(width=0.5).load_pretrained(source.network.state_dict())
    (tmp_path / "broken.pth").write_bytes(b"not weights")
    with pytest.raises(InputError, match=r"broken\.pth, which is no state dict saved by torch\.save"):
        pretrained_weights(str(tmp_path / "broken.pth"), "efficientnet-b0")
    with pytest.raises(InputError, match=r"classifier\.weights is 'none.pth', which is no file"):
        pretrained_weights("none.pth", "efficientnet-b0")


def test_the_imbalanced_sampler_shows_both_classes_alike() -> None:
    targets = np.array([1] * 10 + [0] * 90)
    order = shown_order(targets, "imbalanced", 4000, seed=0)
    assert targets[order].mean() == pytest.approx(0.5, abs=0.03)
    assert torch.equal(order, shown_order(targets, "imbalanced", 4000, seed=0))
    assert not torch.equal(order, shown_order(targets, "imbalanced", 4000, seed=1))
    shuffled = shown_order(targets, "shuffled", 300, seed=0)
    assert targets[shuffled].mean() == 0.1
    assert torch.bincount(shuffled).tolist() == [3] * 100


@pytest.mark.parametrize(
    ("rule", "added"), [("none", (0, 0)), ("balance", (0, 60)), (0.1, (8, 2)), (0.5, (40, 10)), (2.0, (160, 40))]
)
def test_what_a_scheme_adds(rule: str | float, added: tuple[int, int]) -> None:
    assert added_per_class(80, 20, rule) == added
    assert added_per_class(20, 80, "balance") == (0, 0)


def run_on(images: np.ndarray, targets: np.ndarray, **changed: Any) -> ClassifierRun:
    settings = {"steps": 30, "batch_size": 16, "learning_rate": 0.005, "weight_decay": 0.0}
    train_params = ClassifierTrainParams.model_validate(
        settings | {"schedule": "constant", "evaluate_steps": 10} | changed
    )
    device = torch.device("cpu")
    tensor = as_tensor(images, device)
    return ClassifierRun(
        small(dropout=0.0),
        images=tensor,
        targets=targets,
        val_images=tensor,
        val_targets=targets,
        augment="none",
        sampler="imbalanced",
        loss="bce",
        train=train_params,
        seed=0,
        autocast=contextlib.nullcontext,
    )


def bright_is_malignant() -> tuple[np.ndarray, np.ndarray]:
    targets = np.arange(40) % 4 == 0
    images = np.random.default_rng(0).integers(60, 120, (40, 32, 32, 3)) + 80 * targets[:, None, None, None]
    return images.astype(np.uint8), targets.astype(np.int64)


def test_training_learns_what_can_be_learnt_and_keeps_the_best_step() -> None:
    images, targets = bright_is_malignant()
    run = run_on(images, targets)
    network = train(run, lambda state: None, lambda steps: None)
    probability = predict(network, run.val_images)
    assert probability[targets == 1].min() > probability[targets == 0].max()
    aucs = {row["step"]: row["val_auc"] for row in run.curve}
    assert run.best_auc == max(aucs.values()) == aucs[run.best_step]
    assert set(aucs) == {10, 20, 30}


def test_cosine_ends_at_zero() -> None:
    images, targets = bright_is_malignant()
    run = run_on(images, targets, schedule="cosine", steps=10)
    train(run, lambda state: None, lambda steps: None)
    assert run.schedule.get_last_lr()[0] == pytest.approx(0, abs=1e-9)


def test_a_loss_that_is_not_finite_is_one_sentence() -> None:
    run = run_on(*bright_is_malignant(), learning_rate=1e30)
    with pytest.raises(InputError, match=r"the loss became (nan|inf) by step 10; lower classifier.train.learning_rate"):
        train(run, lambda state: None, lambda steps: None)


def test_an_interrupted_run_ends_in_the_same_bytes(experiment, monkeypatch: pytest.MonkeyPatch) -> None:
    experiment()
    train_classifier.main("classic", "0")
    whole = {path.name: path.read_bytes() for path in [*CHECKPOINT.iterdir(), PREDICTIONS]}
    shutil.rmtree("data/checkpoints")

    def die_after_the_first_checkpoint(run, save, stepped):
        def save_and_die(state):
            save(state)
            raise KeyboardInterrupt

        train(run, save_and_die, stepped)

    monkeypatch.setattr(experiment_module, "train_classifier", die_after_the_first_checkpoint)
    with pytest.raises(KeyboardInterrupt):
        train_classifier.main("classic", "0")
    monkeypatch.setattr(experiment_module, "train_classifier", train)
    torch.manual_seed(99)  # the global stream is part of the state
    train_classifier.main("classic", "0")
    assert {path.name: path.read_bytes() for path in [*CHECKPOINT.iterdir(), PREDICTIONS]} == whole


def test_predictions_are_unrounded_probabilities_of_val_and_test(experiment) -> None:
    params = experiment()
    params["classifier"]["train"] |= {"steps": 20, "learning_rate": 0.01}
    Path("params.yaml").write_text(yaml.safe_dump(params))
    train_classifier.main("classic", "0")
    predictions, splits = pd.read_csv(PREDICTIONS), pd.read_csv("data/splits.csv")
    held_out = splits[splits["split"] != "train"]
    assert list(predictions.columns) == ["image_id", "split", "target", "probability"]
    assert predictions["image_id"].tolist() == held_out["image_id"].tolist()
    assert predictions["target"].tolist() == held_out["target"].tolist()
    assert predictions["probability"].between(0, 1).all()
    assert predictions["probability"].nunique() > 20
    built = read_built_with(CHECKPOINT)
    network = small(**{key: built[key] for key in ("width", "depth", "image_size", "channels", "dropout")})
    load_weights(CHECKPOINT, network)
    images = as_tensor(np.load("data/images/images.npy")[held_out["row"]], torch.device("cpu"))
    again = predict(network, images)
    assert predictions["probability"].tolist() == pytest.approx(again.tolist(), abs=1e-6)


def trained_rows(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Which rows (held in a corner pixel) each run is given to train on and to choose its step by."""
    seen: list[dict[str, Any]] = []

    class Traced(ClassifierRun):
        def __init__(self, network: Classifier, **given: Any) -> None:
            seen.append(
                {
                    "train": given["images"][:, 0, 0, 0].tolist(),
                    "targets": given["targets"].tolist(),
                    "val": given["val_images"][:, 0, 0, 0].tolist(),
                }
            )
            super().__init__(network, **given)

    monkeypatch.setattr(experiment_module, "ClassifierRun", Traced)
    return seen


def test_classifiers_train_on_train_and_choose_on_val(experiment, monkeypatch: pytest.MonkeyPatch) -> None:
    experiment()
    seen = trained_rows(monkeypatch)
    train_classifier.main("classic", "0")
    train_classifier.main("oversample", "0")
    splits = pd.read_csv("data/splits.csv")
    rows = {name: splits.loc[splits["split"] == name, "row"].tolist() for name in ("train", "val")}
    malignant = set(splits[(splits["split"] == "train") & (splits["target"] == 1)]["row"])
    classic, oversample = seen
    assert classic["train"] == rows["train"]
    assert classic["val"] == oversample["val"] == rows["val"]
    added = oversample["train"][len(rows["train"]) :]
    assert set(added) <= malignant
    assert len(added) == len(rows["train"]) - 2 * len(malignant)
    assert oversample["targets"].count(1) == oversample["targets"].count(0)


@pytest.mark.parametrize(("scheme", "added"), [("gan_balanced", (0, 10)), ("gan_plus_10", (2, 1))])
def test_gan_schemes_add_synthetic_images_with_their_label(
    scheme: str, added: tuple[int, int], experiment, monkeypatch: pytest.MonkeyPatch
) -> None:
    experiment()
    for value, name in ((250, "benign"), (251, "malignant")):
        directory = Path(f"data/synthetic/{name}/0")
        directory.mkdir(parents=True)
        np.save(directory / "images.npy", np.full((20, 32, 32, 3), value, dtype=np.uint8))
    seen = trained_rows(monkeypatch)
    train_classifier_gan.main(scheme, "0")
    extra = list(zip(seen[0]["train"][30:], seen[0]["targets"][30:], strict=True))
    assert extra == [(250, 0)] * added[0] + [(251, 1)] * added[1]
    built = read_json(Path(f"data/checkpoints/classifier/{scheme}/0/model.json"))
    assert (built["train_images"], built["synthetic_images"]) == (30 + sum(added), sum(added))


def test_too_few_synthetic_images_are_named_with_the_remedy(experiment) -> None:
    experiment()
    directory = Path("data/synthetic/malignant/0")
    directory.mkdir(parents=True)
    np.save(directory / "images.npy", np.zeros((3, 32, 32, 3), dtype=np.uint8))
    with pytest.raises(
        InputError, match=r"needs 10 synthetic malignant .* holds 3; set synthesize.count to at least 10"
    ):
        train_classifier_gan.main("gan_balanced", "0")


def test_generators_take_turns_over_classifier_seeds(experiment) -> None:
    experiment()
    for seed in (4, 7):
        directory = Path(f"data/synthetic/malignant/{seed}")
        directory.mkdir(parents=True)
        np.save(directory / "images.npy", np.full((3, 32, 32, 3), seed, dtype=np.uint8))
    drawn = [int(train_classifier_gan.synthetic_images("malignant", [4, 7], seed, 2)[0, 0, 0, 0]) for seed in range(3)]
    assert drawn == [4, 7, 4]


def test_schemes_with_the_same_seed_start_from_the_same_weights(experiment, monkeypatch: pytest.MonkeyPatch) -> None:
    params = experiment()
    params["classifier"]["train"]["learning_rate"] = 1e-30
    Path("params.yaml").write_text(yaml.safe_dump(params))
    starts = []

    def note(run, save, stepped):
        starts.append(run.network.network._conv_stem.weight.detach().clone())
        return train(run, save, stepped)

    monkeypatch.setattr(experiment_module, "train_classifier", note)
    for scheme, seed in (("baseline", "0"), ("classic", "0"), ("classic", "1")):
        train_classifier.main(scheme, seed)
    assert torch.equal(starts[0], starts[1])
    assert not torch.equal(starts[1], starts[2])


def test_a_scheme_that_would_add_nothing_is_refused(experiment) -> None:
    experiment()
    splits = pd.read_csv("data/splits.csv")
    splits.assign(target=1 - splits["target"]).to_csv("data/splits.csv", index=False)
    with pytest.raises(InputError, match=r"scheme gan_balanced adds nothing to 10 benign and 20 malignant"):
        train_classifier_gan.main("gan_balanced", "0")
