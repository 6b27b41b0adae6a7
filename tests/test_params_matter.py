"""No stage ignores a param: each one changed alone changes the stage's bytes; those that must not, do not."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from pipeline import (
    score_synthetic,
    synthesize,
    train_artefacts,
    train_classifier,
    train_classifier_gan,
    train_features,
    train_gan,
)
from pipeline.errors import InputError
from pipeline.params.generators import SETTINGS
from tests.variants import TRAINED

GAN, SYNTHETIC = Path("data/checkpoints/gan/malignant/0"), Path("data/synthetic/malignant/0")
FEATURES, CURVE = Path("data/features"), Path("reports/plots/gan_malignant_0.csv")
SCORES = Path("reports/generators/malignant_0.json")


def put(params: dict[str, Any], key: str, value: Any) -> None:
    *path, last = key.split(".")
    for part in path:
        params = params[part]
    assert last in params, key
    assert params[last] != value, key
    params[last] = value


@pytest.fixture
def result(experiment) -> Callable[..., dict[str, bytes]]:
    """Runs a stage with some params changed; the bytes of its outputs."""
    base = yaml.safe_dump(experiment())

    def run(main: Callable[[], None], outputs: list[Path], changed: dict[str, Any]) -> dict[str, bytes]:
        params = yaml.safe_load(base)
        for key, value in changed.items():
            put(params, key, value)
        Path("params.yaml").write_text(yaml.safe_dump(params))
        for output in outputs:
            shutil.rmtree(output) if output.is_dir() else output.unlink(missing_ok=True)
        main()
        files = [file for output in outputs for file in (sorted(output.iterdir()) if output.is_dir() else [output])]
        return {str(file): file.read_bytes() for file in files if not file.name.endswith(".json") or file == SCORES}

    return run


def gan() -> None:
    train_gan.main("malignant", "0")


def test_train_gan(result) -> None:
    base = result(gan, [GAN, CURVE], {})
    assert result(gan, [GAN, CURVE], {}) == base
    for changed in (
        {"seed": 1},
        {"gan.variant": "sngan"},
        {"gan.image_size": 64},
        {"gan.train.batch_size": 10},
        {"gan.train.diff_augment": []},
        {"gan.train.diff_augment": ["color"]},
        {"gan.train.ema_kimg": 0.0},
        {"gan.train.max_images": 5},
        {"compute.threads": 2},
        {"compute.precision": "bf16"}
        if base == result(gan, [GAN, CURVE], {"compute.precision": "fp32"})
        else {"seed": 2},
    ):
        weights = str(GAN / "model.safetensors")
        assert result(gan, [GAN, CURVE], changed)[weights] != base[weights], changed
    for changed in ({"gan.train.kimg": 0.096}, {"gan.train.checkpoint_kimg": 0.05}):  # an earlier look may be the best
        assert result(gan, [GAN, CURVE], changed)[str(CURVE)] != base[str(CURVE)], changed
    with pytest.raises(InputError, match="collapsed"):
        result(gan, [GAN, CURVE], {"gan.train.min_recall": 1.0})
    logged = result(gan, [GAN, CURVE], {"gan.train.log_kimg": 0.05})
    assert logged[weights] == base[weights]
    assert logged[str(CURVE)] != base[str(CURVE)]


SETTING = {
    "beta1": 0.4,
    "beta2": 0.95,
    "blocks": 2,
    "conditional": True,
    "cycle_weight": 3.0,
    "class_weight": 3.0,
    "clip": 0.001,
    "discriminator_features": 8,
    "discriminator_learning_rate": 0.001,
    "encoder_features": 8,
    "generator_activation": "leaky_relu",
    "generator_features": 8,
    "generator_learning_rate": 0.001,
    "identity_weight": 2.0,
    "kl_weight": 3.0,
    "l1_weight": 10.0,
    "label_smoothing": 0.8,
    "latent_dim": 8,
    "layers": 2,
    "learning_rate": 0.0005,
    "lecam_weight": 0.3,
    "light": True,
    "loss": "minimax",
    "minibatch_stddev": True,
    "n_critic": 3,
    "noise": 0.1,
    "penalty_interval": 3,
    "penalty_weight": 1.0,
    "pool_size": 3,
    "sampling_steps": 3,
    "sources": "channel_1",
}


def test_what_a_conditional_generator_is_told(result) -> None:
    weights = GAN / "model.safetensors"
    base = result(gan, [weights], {"gan.variant": "cgan"})
    assert result(gan, [weights], {"gan.variant": "cgan", "gan.condition_on": "sex"}) != base
    unconditional = result(gan, [weights], {})
    assert result(gan, [weights], {"gan.condition_on": "sex"}) == unconditional


@pytest.mark.parametrize("name", TRAINED)
def test_every_setting_of_a_variant(name: str, result) -> None:
    weights = GAN / "model.safetensors"
    chosen = {"gan.train.checkpoint_kimg": 0.08} | ({} if name == "dcgan" else {"gan.variant": name})  # one look
    base = result(gan, [weights, CURVE], chosen)
    for setting in SETTINGS[name].model_fields:
        output = str(CURVE if setting == "sampling_steps" else weights)  # it changes what is drawn, not what is trained
        changed = result(gan, [weights, CURVE], chosen | {f"gan.variants.{name}.{setting}": SETTING[setting]})
        assert changed[output] != base[output], setting


def test_synthesize(result) -> None:
    gan()

    def main() -> None:
        synthesize.main("malignant", "0")

    base = result(main, [SYNTHETIC], {})
    for changed in ({"seed": 1}, {"synthesize.count": 10}):
        assert result(main, [SYNTHETIC], changed) != base, changed
    nearest = np.loadtxt(SYNTHETIC / "manifest.csv", delimiter=",", skiprows=1, usecols=1)
    gate = float(np.median(nearest))
    assert result(main, [SYNTHETIC], {"synthesize.copy_likeness": gate, "synthesize.count": 10}) != base


def test_train_features(result) -> None:
    base = result(train_features.main, [FEATURES], {})
    fp32 = result(train_features.main, [FEATURES], {"compute.precision": "fp32"})
    for key, value in {
        "seed": 1,
        "features.image_size": 16,
        "features.width": 8,
        "features.steps": 3,
        "features.batch_size": 10,
        "features.learning_rate": 0.01,
        "features.temperature": 0.5,
        "compute.precision": "bf16" if base == fp32 else "fp32",
        "compute.threads": 2,
    }.items():
        assert result(train_features.main, [FEATURES], {key: value}) != base, key


def test_train_artefacts(result) -> None:
    outputs, few = [Path("data/artefacts")], {"artefacts.kinds": ["hair", "frame"], "artefacts.photographs": 100}
    base = result(train_artefacts.main, outputs, few)
    assert result(train_artefacts.main, outputs, few) == base
    fp32 = result(train_artefacts.main, outputs, few | {"compute.precision": "fp32"})
    for key, value in {
        "seed": 1,
        "artefacts.kinds": ["hair"],
        "artefacts.image_size": 36,
        "artefacts.photographs": 110,
        "artefacts.width": 5,
        "artefacts.steps": 3,
        "artefacts.batch_size": 5,
        "artefacts.learning_rate": 0.002,
        "compute.precision": "bf16" if base == fp32 else "fp32",
        "compute.threads": 2,
    }.items():
        assert result(train_artefacts.main, outputs, few | {key: value}) != base, key


def test_score_synthetic(result) -> None:
    gan()
    synthesize.main("malignant", "0")
    train_features.main()

    def main() -> None:
        score_synthetic.main("malignant", "0")

    base = result(main, [SCORES], {})
    assert result(main, [SCORES], {}) == base
    for key, value in {"seed": 1, "score.pairs": 7, "score.neighbours": 3}.items():
        assert result(main, [SCORES], {key: value}) != base, key


CLASSIFIER = {
    "seed": 1,
    "classifier.width": 0.2,
    "classifier.depth": 0.7,
    "classifier.image_size": 24,
    "classifier.frozen_blocks": 2,
    "classifier.batch_norm_momentum": 0.5,
    "classifier.dropout": 0.7,
    "classifier.test_time_augmentation": "flip",
    "classifier.train.steps": 6,
    "classifier.train.batch_size": 6,
    "classifier.train.learning_rate": 0.01,
    "classifier.train.weight_decay": 5.0,
    "classifier.train.schedule": "constant",
    "classifier.train.evaluate_steps": 3,
    "classifier.train.accumulate": 2,
    "compute.precision": "bf16",
    "compute.threads": 2,
}


def test_train_classifier(result) -> None:
    outputs = [Path("data/predictions/classic/0.csv"), Path("data/checkpoints/classifier/classic/0")]

    def main() -> None:
        train_classifier.main("classic", "0")

    scheme = "classifier.real_schemes.classic"
    base = result(main, outputs, {})
    assert result(main, outputs, {}) == base
    schemes = {
        f"{scheme}.augment": "none",
        f"{scheme}.sampler": "shuffled",
        f"{scheme}.loss": "weighted",
        f"{scheme}.duplicates": "balance",
    }
    for key, value in (CLASSIFIER | schemes).items():
        assert result(main, outputs, {key: value}) != base, key
    own_size = {"classifier.width": None, "classifier.depth": None}  # else the model's own size plays no part
    other_model = result(main, outputs, own_size | {"classifier.model": "efficientnet-b1"})
    assert result(main, outputs, own_size) != other_model
    assert result(main, outputs, {f"{scheme}.augment": "randaugment"}) not in (
        base,
        result(main, outputs, {f"{scheme}.augment": "none"}),
    )
    assert result(main, outputs, {f"{scheme}.loss": "focal"}) not in (
        base,
        result(main, outputs, {f"{scheme}.loss": "weighted"}),
    )


def test_train_classifier_gan(result) -> None:
    outputs = [Path("data/checkpoints/classifier/gan_plus_10/0")]
    for name in ("benign", "malignant"):
        for seed in (0, 1):
            directory = Path(f"data/synthetic/{name}/{seed}")
            directory.mkdir(parents=True)
            rng = np.random.default_rng(seed)
            np.save(directory / "images.npy", rng.integers(0, 256, (20, 32, 32, 3), dtype=np.uint8))

    def main() -> None:
        train_classifier_gan.main("gan_plus_10", "0")

    base = result(main, outputs, {})
    scheme = "classifier.gan_schemes.gan_plus_10"
    for key, value in {f"{scheme}.synthetic": 0.5, f"{scheme}.real": False, "gan.seeds": [1]}.items():
        assert result(main, outputs, {key: value}) != base, key
