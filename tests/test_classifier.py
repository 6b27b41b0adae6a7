"""The classifier, its loop and its two stages."""

import contextlib
import hashlib
import shutil
from functools import partial
from pathlib import Path
from typing import Any
from urllib.error import URLError

import numpy as np
import pandas as pd
import pytest
import torch
import torchvision.models
import yaml
from efficientnet_pytorch import EfficientNet
from torchvision.transforms import v2

from models.classifier import IMAGENET_MEAN, IMAGENET_STD, Classifier
from pipeline import fitting, train_classifier, train_classifier_gan
from pipeline.checkpoints import load_weights, read_built_with, save_model
from pipeline.errors import InputError
from pipeline.experiment import added_per_class
from pipeline.fitting import read_pretrained
from pipeline.metrics.ranking import roc_auc
from pipeline.params.classifier import ClassifierTrainParams
from pipeline.seeding import derive_seed
from pipeline.store import read_json
from pipeline.synthetic_experiment import synthetic_images
from pipeline.training import classifier as training
from pipeline.training.batches import as_tensor
from pipeline.training.classifier import ClassifierRun, predict, shown_order
from pipeline.training.classifier import train_classifier as train
from pipeline.training.ranks import Ranks

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


@pytest.mark.parametrize("number", range(8))
def test_every_model_is_of_the_published_size(number: int) -> None:
    """torchvision states the sizes with 1,000 classes; efficientnet-pytorch's own constructor the shapes."""
    name = f"efficientnet-b{number}"
    with torch.device("meta"):
        network = small(model=name, width=None, depth=None, image_size=64)
        theirs = EfficientNet.from_name(name, num_classes=1, image_size=64)
        assert network(torch.rand(2, 3, 64, 64)).shape == (2,)
    published = getattr(torchvision.models, f"EfficientNet_B{number}_Weights").IMAGENET1K_V1.meta["num_params"]
    features = network.network._fc.in_features
    assert sum(weights.numel() for weights in network.parameters()) == published - 999 * (features + 1)
    shapes = {key: value.shape for key, value in theirs.state_dict().items()}
    assert {key: value.shape for key, value in network.network.state_dict().items()} == shapes


@pytest.mark.parametrize(
    ("model", "channels"), [("efficientnet-b0", 3), ("efficientnet-b0", 1), ("efficientnet-b2", 3)]
)
def test_it_is_efficientnet_pytorchs_own_network(model: str, channels: int) -> None:
    ours = small(model=model, width=None, depth=None, image_size=40, channels=channels, dropout=0.4)
    theirs = EfficientNet.from_name(
        model, in_channels=channels, num_classes=1, image_size=40, dropout_rate=0.4, batch_norm_momentum=0.85
    )
    theirs.load_state_dict(ours.network.state_dict())
    ours, theirs = ours.double(), theirs.double()  # float32 sums of another order differ by more than 1e-5
    images = torch.rand(4, channels, 40, 40, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    mean, std = (value if channels == 3 else [sum(value) / 3] for value in (IMAGENET_MEAN, IMAGENET_STD))
    normalised = v2.functional.normalize(images, list(mean), list(std))
    for mode in (True, False):  # training first: it changes the statistics that evaluation uses
        logits = []
        for network, given in ((ours, images * 2 - 1), (theirs, normalised)):
            torch.manual_seed(2)  # of dropout and drop connect
            logits.append(network.train(mode)(given).flatten())
        assert torch.allclose(*logits, rtol=1e-5, atol=1e-9), mode
    for given in logits:
        given.sum().backward()
    for own, reference in zip(ours.network.parameters(), theirs.parameters(), strict=True):
        assert (own.grad - reference.grad).norm() <= 1e-4 * reference.grad.norm()


def test_drop_connect_is_on_but_in_frozen_blocks() -> None:
    images = torch.rand(8, 3, 32, 32, generator=torch.Generator().manual_seed(1))
    free = small(depth=0.35, dropout=0.0)
    frozen = small(depth=0.35, dropout=0.0, frozen_blocks=len(free.network._blocks))
    for network, same in ((free, False), (frozen, True)):
        network.train()
        assert torch.equal(network(images), network(images)) is same


def test_the_first_18_blocks_of_b3_stay_and_all_else_is_trained() -> None:
    network = small(model="efficientnet-b3", width=None, depth=None, frozen_blocks=18).train()
    before = {key: value.clone() for key, value in network.state_dict().items()}
    optimizer = torch.optim.SGD([weights for weights in network.parameters() if weights.requires_grad], 0.1)
    network(torch.randn(8, 3, 32, 32)).square().sum().backward()
    optimizer.step()
    changed = {key for key, value in network.state_dict().items() if not torch.equal(value, before[key])}
    kept = ("network._conv_stem", "network._bn0", *(f"network._blocks.{number}." for number in range(18)))
    assert changed == {key for key in before if not key.startswith(kept)}
    assert {key.split(".")[1] for key in changed} == {"_blocks", "_conv_head", "_bn1", "_fc"}


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


def saved(state: Any, folder: Path, name: str = "weights") -> Path:
    """A file named after its content."""
    torch.save(state, folder / "unnamed.pth")
    digits = hashlib.sha256((folder / "unnamed.pth").read_bytes()).hexdigest()[:8]
    return (folder / "unnamed.pth").rename(folder / f"{name}-{digits}.pth")


def test_pretrained_weights_are_taken_but_for_the_last_layer(tmp_path: Path) -> None:
    source, network = small(), small()
    with torch.no_grad():
        for weights in source.network.parameters():
            weights.add_(1)
    pretrained = read_pretrained(str(saved(source.network.state_dict(), tmp_path)), "efficientnet-b0")
    assert pretrained is not None
    head = network.network._fc.weight.clone()
    network.load_pretrained(pretrained.state_dict)
    assert torch.equal(network.network._conv_stem.weight, source.network._conv_stem.weight)
    assert torch.equal(network.network._fc.weight, head)
    with pytest.raises(ValueError, match="the weights are not of this model"):
        small(width=0.5).load_pretrained(source.network.state_dict())


def test_weights_that_cannot_be_read_are_one_sentence(tmp_path: Path) -> None:
    broken = b"not weights"
    digits = hashlib.sha256(broken).hexdigest()[:12]
    (tmp_path / f"broken-{digits}.pth").write_bytes(broken)
    for file in (tmp_path / f"broken-{digits}.pth", saved(torch.zeros(3), tmp_path)):
        with pytest.raises(InputError, match=rf"{file.name} is no state dict saved by torch\.save"):
            read_pretrained(str(file), "efficientnet-b0")
    with pytest.raises(InputError, match=r"classifier\.weights is 'none.pth', which is no file"):
        read_pretrained("none.pth", "efficientnet-b0")


@pytest.mark.parametrize("name", ["weights", "weights-0123abcd", "weights-{digest:.7}"])
def test_a_weights_file_that_is_not_named_after_its_content_is_refused(name: str, tmp_path: Path) -> None:
    """So a file that changes under its name is noticed, and one that changes its name is a change of params."""
    good = saved({}, tmp_path)
    digest = hashlib.sha256(good.read_bytes()).hexdigest()
    assert read_pretrained(str(good), "efficientnet-b0") == ({}, digest)
    bad = good.rename(tmp_path / f"{name.format(digest=digest)}.pth")
    remedy = f"rename it {'weights' if name != 'weights-{digest:.7}' else bad.stem}-{digest[:8]}.pth"
    with pytest.raises(InputError, match=rf"classifier\.weights is .*{bad.name}, whose name must end .*; {remedy}$"):
        read_pretrained(str(bad), "efficientnet-b0")


def test_imagenet_weights_are_downloaded_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    asked = []

    def download(url: str, path: str) -> None:
        asked.append(url)
        torch.save({"layer": torch.ones(2)}, path)

    monkeypatch.setattr(torch.hub, "download_url_to_file", download)
    first, second = (read_pretrained("imagenet", "efficientnet-b3") for _ in range(2))
    assert first is not None
    assert second is not None
    assert first.sha256 == second.sha256
    assert torch.equal(second.state_dict["layer"], torch.ones(2))
    (url,) = asked
    assert "efficientnet-b3" in url

    def refuse(url: str, path: str) -> None:
        raise URLError("no route to host")

    monkeypatch.setattr(torch.hub, "download_url_to_file", refuse)
    with pytest.raises(InputError, match=r"weights of efficientnet-b4 could not be downloaded \(.*no route to host"):
        read_pretrained("imagenet", "efficientnet-b4")


def test_the_checkpoint_says_which_weights(experiment) -> None:
    params = experiment()
    train_classifier.main("classic", "0")
    built = read_built_with(CHECKPOINT)
    assert (built["weights"], built["weights_sha256"]) == ("none", None)
    network = small(width=0.35, depth=0.35)
    file = saved(network.network.state_dict(), Path())
    params["classifier"]["weights"] = str(file)
    params["classifier"]["train"] |= {"learning_rate": 1e-30}
    Path("params.yaml").write_text(yaml.safe_dump(params))
    train_classifier.main("classic", "0")
    built = read_built_with(CHECKPOINT)
    assert (built["weights"], built["weights_sha256"]) == (str(file), hashlib.sha256(file.read_bytes()).hexdigest())
    again = small(width=0.35, depth=0.35)
    load_weights(CHECKPOINT, again)
    assert torch.equal(again.network._conv_head.weight, network.network._conv_head.weight)


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


def run_on(
    images: np.ndarray, targets: np.ndarray, test_time_augmentation: str = "none", **changed: Any
) -> ClassifierRun:
    settings = {"steps": 30, "batch_size": 16, "accumulate": 1, "learning_rate": 0.005, "weight_decay": 0.0}
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
        test_time_augmentation=test_time_augmentation,
        stream_seed=partial(derive_seed, 0),
        device=device,
        autocast=contextlib.nullcontext,
        ranks=Ranks(),
    )


@pytest.mark.parametrize("symmetry", ["none", "flip", "dihedral"])
def test_the_step_is_chosen_by_the_kind_of_prediction_that_will_be_made(symmetry: str) -> None:
    images = np.random.default_rng(0).integers(0, 255, (40, 32, 32, 3), dtype=np.uint8)
    targets = np.arange(40) % 2
    run = run_on(images, targets, symmetry)
    network = train(run, lambda state: None, lambda steps: None)
    aucs = {kind: roc_auc(targets, predict(network, run.val_images, kind)) for kind in ("none", "flip", "dihedral")}
    assert len(set(aucs.values())) == 3
    assert run.best_auc == aucs[symmetry]


def bright_is_malignant() -> tuple[np.ndarray, np.ndarray]:
    targets = np.arange(40) % 4 == 0
    images = np.random.default_rng(0).integers(60, 120, (40, 32, 32, 3)) + 80 * targets[:, None, None, None]
    return images.astype(np.uint8), targets.astype(np.int64)


def test_training_learns_what_can_be_learnt_and_keeps_the_best_step() -> None:
    images, targets = bright_is_malignant()
    run = run_on(images, targets)
    network = train(run, lambda state: None, lambda steps: None)
    probability = predict(network, run.val_images, "none")
    assert probability[targets == 1].min() > probability[targets == 0].max()
    aucs = {row["step"]: row["val_auc"] for row in run.curve}
    assert run.best_auc == max(aucs.values()) == aucs[run.best_step]
    assert set(aucs) == {10, 20, 30}


def test_cosine_ends_at_zero() -> None:
    images, targets = bright_is_malignant()
    run = run_on(images, targets, schedule="cosine", steps=10)
    train(run, lambda state: None, lambda steps: None)
    assert run.schedule.get_last_lr()[0] == pytest.approx(0, abs=1e-9)


def test_plateau_halves_the_rate_after_five_looks_without_a_better_auc(monkeypatch: pytest.MonkeyPatch) -> None:
    aucs = iter([0.5, 0.7, 0.6, 0.7, 0.6, 0.7, 0.6, 0.6, 0.8, *[0.8] * 7])
    monkeypatch.setattr(training, "roc_auc", lambda targets, probability: next(aucs))
    run = run_on(*bright_is_malignant(), schedule="plateau", steps=16, evaluate_steps=1, learning_rate=0.008)
    rates = []
    train(run, lambda state: rates.append(run.optimizer.param_groups[0]["lr"]), lambda steps: None)
    assert rates == [0.008] * 7 + [0.004] * 7 + [0.002] * 2


@pytest.mark.parametrize("schedule", ["plateau", "cosine", "constant"])
def test_a_run_loaded_at_any_look_goes_on_alike(schedule: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training, "PLATEAU_PATIENCE", 1)
    images, targets = bright_is_malignant()

    def new() -> ClassifierRun:
        run = run_on(images, np.roll(targets, 1), schedule=schedule, steps=8, evaluate_steps=1)
        run.val_targets = targets  # the contrary of what it learns: the val AUC falls, on every machine
        return run

    def keep(state: dict[str, Any]) -> None:
        torch.save(state, tmp_path / f"{state['step']}.pt")

    whole = new()
    expected = train(whole, keep, lambda steps: None).state_dict()
    rate = whole.optimizer.param_groups[0]["lr"]
    assert (rate < 0.005) is (schedule != "constant")
    for step in (1, 4, 7):
        torch.manual_seed(99)
        run = new()
        run.load(torch.load(tmp_path / f"{step}.pt", weights_only=True))
        found = train(run, lambda state: None, lambda steps: None).state_dict()
        assert run.curve == whole.curve
        assert run.optimizer.param_groups[0]["lr"] == rate
        assert all(torch.equal(found[key], expected[key]) for key in expected)


def test_a_loss_that_is_not_finite_is_one_sentence() -> None:
    run = run_on(*bright_is_malignant(), learning_rate=1e30)
    with pytest.raises(InputError, match=r"the loss became (nan|inf) by step 10; lower classifier.train.learning_rate"):
        train(run, lambda state: None, lambda steps: None)


@pytest.mark.parametrize("schedule", ["cosine", "plateau"])
def test_an_interrupted_run_ends_in_the_same_bytes(schedule: str, experiment, monkeypatch: pytest.MonkeyPatch) -> None:
    params = experiment()
    params["classifier"]["train"]["schedule"] = schedule
    Path("params.yaml").write_text(yaml.safe_dump(params))
    train_classifier.main("classic", "0")
    whole = {path.name: path.read_bytes() for path in [*CHECKPOINT.iterdir(), PREDICTIONS]}
    shutil.rmtree("data/checkpoints")

    def die_after_the_first_checkpoint(run, save, stepped):
        def save_and_die(state):
            save(state)
            raise KeyboardInterrupt

        train(run, save_and_die, stepped)

    monkeypatch.setattr(fitting, "train_classifier", die_after_the_first_checkpoint)
    with pytest.raises(KeyboardInterrupt):
        train_classifier.main("classic", "0")
    monkeypatch.setattr(fitting, "train_classifier", train)
    torch.manual_seed(99)  # the global stream is part of the state
    train_classifier.main("classic", "0")
    assert {path.name: path.read_bytes() for path in [*CHECKPOINT.iterdir(), PREDICTIONS]} == whole


def test_predictions_are_unrounded_probabilities_of_val_and_test(experiment) -> None:
    params = experiment()
    params["classifier"]["train"] |= {"steps": 20, "evaluate_steps": 20, "learning_rate": 0.01}
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
    again = predict(network, images, built["test_time_augmentation"])
    assert predictions["probability"].tolist() == pytest.approx(again.tolist(), abs=1e-6)


@pytest.mark.parametrize(("symmetry", "equal"), [("none", 1), ("flip", 2), ("dihedral", 8)])
def test_a_prediction_is_the_mean_logit_of_an_images_orientations(symmetry: str, equal: int) -> None:
    torch.manual_seed(0)
    network = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(3072, 1), torch.nn.Flatten(0))  # sees each turn
    image = np.random.default_rng(0).integers(0, 256, (32, 32, 3), dtype=np.uint8)
    turned = [np.rot90(side, quarters) for side in (image, image[:, ::-1]) for quarters in range(4)]
    batch = as_tensor(np.stack(turned), torch.device("cpu"))
    logits = torch.logit(torch.from_numpy(predict(network, batch, "none"))).reshape(2, 4)  # mirrored, quarters
    assert len(logits.unique()) == 8
    expected = {"none": logits[0, 0], "flip": logits[:, 0].mean(), "dihedral": logits.mean()}[symmetry]
    predicted = predict(network, batch, symmetry)
    assert np.log(predicted[0] / (1 - predicted[0])) == pytest.approx(float(expected), abs=1e-5)
    assert np.isclose(predicted, predicted[0], rtol=0, atol=1e-7).sum() == equal


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

    monkeypatch.setattr(fitting, "ClassifierRun", Traced)
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


def test_without_real_images_a_scheme_sees_synthetic_ones_only(experiment, monkeypatch: pytest.MonkeyPatch) -> None:
    params = experiment()
    params["classifier"]["gan_schemes"]["gan_plus_10"] |= {"real": False, "synthetic": 0.5}
    Path("params.yaml").write_text(yaml.safe_dump(params))
    for value, name in ((250, "benign"), (251, "malignant")):
        directory = Path(f"data/synthetic/{name}/0")
        directory.mkdir(parents=True)
        np.save(directory / "images.npy", np.full((20, 32, 32, 3), value, dtype=np.uint8))
    seen = trained_rows(monkeypatch)
    train_classifier_gan.main("gan_plus_10", "0")
    assert seen[0]["train"] == [250] * 10 + [251] * 5
    assert seen[0]["targets"] == [0] * 10 + [1] * 5
    splits = pd.read_csv("data/splits.csv")
    assert seen[0]["val"] == splits.loc[splits["split"] == "val", "row"].tolist()  # judged by real images all the same


def test_too_few_synthetic_images_are_named_with_the_remedy(experiment) -> None:
    experiment()
    directory = Path("data/synthetic/malignant/0")
    directory.mkdir(parents=True)
    np.save(directory / "images.npy", np.zeros((3, 32, 32, 3), dtype=np.uint8))
    with pytest.raises(InputError, match=r"needs 10 synthetic malignant .* holds 3; raise synthesize.count, to 10"):
        train_classifier_gan.main("gan_balanced", "0")


def test_generators_take_turns_over_classifier_seeds(experiment) -> None:
    experiment()
    for seed in (4, 7):
        directory = Path(f"data/synthetic/malignant/{seed}")
        directory.mkdir(parents=True)
        np.save(directory / "images.npy", np.full((3, 32, 32, 3), seed, dtype=np.uint8))
    drawn = [int(synthetic_images(Path("data/synthetic/malignant"), [4, 7], seed, 2)[0, 0, 0, 0]) for seed in range(3)]
    assert drawn == [4, 7, 4]


def test_schemes_with_the_same_seed_start_from_the_same_weights(experiment, monkeypatch: pytest.MonkeyPatch) -> None:
    params = experiment()
    params["classifier"]["train"]["learning_rate"] = 1e-30
    Path("params.yaml").write_text(yaml.safe_dump(params))
    starts = []

    def note(run, save, stepped):
        starts.append(run.network.network._conv_stem.weight.detach().clone())
        return train(run, save, stepped)

    monkeypatch.setattr(fitting, "train_classifier", note)
    for scheme, seed in (("baseline", "0"), ("classic", "0"), ("classic", "1")):
        train_classifier.main(scheme, seed)
    assert torch.equal(starts[0], starts[1])
    assert not torch.equal(starts[1], starts[2])


def test_weights_order_augmentation_and_dropout_have_a_stream_each_which_schemes_share(
    experiment, monkeypatch: pytest.MonkeyPatch
) -> None:
    experiment()
    seeds: list[int] = []
    runs: list[ClassifierRun] = []
    seed_global = torch.manual_seed

    def note_seed(seed: int) -> torch.Generator:
        seeds.append(seed)
        return seed_global(seed)

    def note_run(run, save, stepped):
        runs.append(run)
        seeds.append(run.rng.initial_seed())
        return train(run, save, stepped)

    monkeypatch.setattr(torch, "manual_seed", note_seed)
    monkeypatch.setattr(fitting, "train_classifier", note_run)
    for scheme, seed in (("baseline", "0"), ("classic", "0"), ("classic", "1")):
        train_classifier.main(scheme, seed)
    baseline, classic, other = seeds[:4], seeds[4:8], seeds[8:]
    assert baseline == classic
    assert len({*classic, *other}) == 8
    assert torch.equal(runs[0].order, runs[1].order)


def test_a_scheme_that_would_add_nothing_is_refused(experiment) -> None:
    experiment()
    splits = pd.read_csv("data/splits.csv")
    splits.assign(target=1 - splits["target"]).to_csv("data/splits.csv", index=False)
    with pytest.raises(InputError, match=r"scheme gan_balanced adds nothing to 10 benign and 20 malignant"):
        train_classifier_gan.main("gan_balanced", "0")
