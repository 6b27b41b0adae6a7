"""An extractor is called valid only if damage of every kind moves its features, and the more the stronger."""

from pathlib import Path

import numpy as np
import pytest
import torch

from models.extractor import Extractor
from pipeline import train_features
from pipeline.checkpoints import save_model
from pipeline.extractor_validation import validate
from pipeline.feature_space import FeatureSpace
from pipeline.metrics.damages import DAMAGES
from pipeline.store import read_json


def textured(count: int = 80, size: int = 32, channels: int = 3, seed: int = 0) -> np.ndarray:
    """Smooth ground of any colour under fine texture of any strength."""
    rng = np.random.default_rng(seed)
    ground = rng.integers(60, 200, (count, 1, 1, channels)) + rng.normal(0, 12, (count, 4, 4, channels)).repeat(
        size // 4, axis=1
    ).repeat(size // 4, axis=2)
    texture = rng.normal(0, 1, (count, size, size, 1)) * rng.uniform(4, 10, (count, 1, 1, 1))
    return (ground + texture).clip(0, 255).astype(np.uint8)


class Space(FeatureSpace):
    """Features given by a function of images."""

    def __init__(self, function) -> None:
        self.features = function


def seeing(images: np.ndarray) -> np.ndarray:
    """Mean, sharpness, and colour of an image."""
    values = images.astype(float) / 255
    fine = np.diff(values, axis=1).std(axis=(1, 2, 3))
    board = np.abs(
        (values * (np.indices(values.shape[1:3]).sum(axis=0) % 2 * 2 - 1)[None, :, :, None]).mean(axis=(1, 2, 3))
    )
    colours = values.mean(axis=(1, 2))
    return np.column_stack([20 * fine, 100 * board, 8 * (colours[:, 0] - colours[:, -1]), 4 * colours])


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("kind", DAMAGES)
def test_damage_grows_with_its_strength(kind: str, channels: int) -> None:
    damage, strengths = DAMAGES[kind]
    images = textured(channels=channels)
    changed = [damage(images, strength, np.random.default_rng(0)) for strength in strengths]
    assert all(one.dtype == np.uint8 and one.shape[1:] == images.shape[1:] for one in changed)
    if kind == "dropped_modes":
        assert [len(one) for one in changed] == [60, 40, 20]
        assert np.ptp(changed[-1].mean(axis=(1, 2, 3))) < np.ptp(images.mean(axis=(1, 2, 3))) / 1.5
    else:
        errors = [np.abs(one.astype(int) - images).mean() for one in changed]
        assert 0 < errors[0] < errors[1] < errors[2]


def test_features_that_see_all_damage_are_valid() -> None:
    found = validate(Space(seeing), textured(400), textured(60, seed=1), np.random.default_rng(0))
    assert found["failed"] == []
    assert found["valid"]
    assert found["n"] == 200
    assert abs(found["halves"]["kid"]) < 3 * found["halves"]["kid_std"]
    assert [step["strength"] for step in found["damages"]["blur"]] == [0.5, 1.0, 2.0]


def test_features_that_see_colour_only_fail_in_all_else() -> None:
    def colours(images: np.ndarray) -> np.ndarray:
        red, _, blue = images.mean(axis=(1, 2)).T / 100
        return np.column_stack([red, blue, 5 * (red - blue) / (red + blue)])

    found = validate(Space(colours), textured(400), textured(60, seed=1), np.random.default_rng(0))
    assert {"blur", "noise", "grid"} <= set(found["failed"])
    assert not {"colour", "dropped_modes"} & set(found["failed"])
    assert not found["valid"]


def test_held_out_images_that_differ_are_seen() -> None:
    darker = (textured(60, seed=1) * 0.8).astype(np.uint8)
    found = validate(Space(seeing), textured(400), darker, np.random.default_rng(0))
    assert found["held_out"]["kid"] > 5 * abs(found["halves"]["kid"])


def test_training_features_writes_what_they_see(experiment) -> None:
    experiment()
    train_features.main()
    found = read_json(Path("reports/features.json"))
    assert set(found) == {"halves", "held_out", "damages", "failed", "valid", "n"}
    assert set(found["damages"]) == set(DAMAGES)
    assert found["n"] == 15  # half of the 30 training images
    before = Path("reports/features.json").read_bytes()
    train_features.main()
    assert Path("reports/features.json").read_bytes() == before


def test_a_space_resizes_and_names_its_weights(tmp_path: Path) -> None:
    torch.manual_seed(0)
    extractor = Extractor(3, 8).eval()
    save_model(tmp_path, extractor, {"name": "untrained", "channels": 3, "width": 8, "image_size": 32})
    space = FeatureSpace(tmp_path, torch.device("cpu"))
    images = textured(5)
    larger = images.repeat(2, axis=1).repeat(2, axis=2)
    assert space.features(larger).shape == (5, 64)
    assert np.abs(space.features(larger) - space.features(images)).mean() < 0.2 * np.abs(space.features(images)).mean()
    assert len(space.sha256) == 64
