"""Drawing, the copy gate, and the scores."""

import itertools
import json
from pathlib import Path

import numpy as np
import pandas as pd
import piq
import pytest
import torch
import yaml

from models.generators.families import Family
from pipeline import score_synthetic, synthesize, train_features, train_gan
from pipeline.copies import References
from pipeline.errors import InputError
from pipeline.feature_space import FeatureSpace
from pipeline.images import contact_sheet
from pipeline.params.synthesize import SynthesizeParams
from pipeline.trained_generator import TrainedGenerator

SYNTHETIC = Path("data/synthetic/malignant/0")


def drawn_from(stream: np.ndarray, training: np.ndarray, count: int, batch_size: int = 4):
    """What comes of images drawn one after the other, again and again."""
    params = SynthesizeParams(count=count, batch_size=batch_size, copy_likeness=0.6)
    endless = itertools.cycle(stream)
    return synthesize.draw(lambda size: np.stack([next(endless) for _ in range(size)]), params, References(training))


def noise(count: int, size: int = 16, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (count, size, size, 3), dtype=np.uint8)


def test_copies_are_dropped_replaced_and_listed() -> None:
    training, new = noise(12), noise(9, seed=1)
    stream = new.copy()
    stream[2], stream[5] = training[3], training[0]
    images, manifest = drawn_from(stream, training, count=6)
    assert np.array_equal(images, new[[0, 1, 3, 4, 6, 7]])
    assert manifest["copy"].sum() == 2
    assert manifest.loc[manifest["copy"], "nearest"].tolist() == [3, 0]
    assert manifest["row"].dropna().tolist() == list(range(6))
    assert len(manifest) == 8


def test_a_generator_of_one_orientation_is_drawn_in_all_that_its_training_saw(experiment, monkeypatch) -> None:
    params = experiment()
    picture = torch.rand(3, 32, 32)
    for policy, orientations in {(): 1, ("flip", "color"): 2, ("dihedral",): 8}.items():
        params["gan"]["train"]["diff_augment"] = list(policy)
        Path("params.yaml").write_text(yaml.safe_dump(params))
        train_gan.main("malignant", "0")
        with monkeypatch.context() as patched:
            patched.setattr(Family, "sample", lambda self, labels, rng: picture.expand(len(labels), -1, -1, -1))
            generator = TrainedGenerator(Path("data/checkpoints/gan/malignant/0"), torch.device("cpu"))
            images = generator.draw(80, torch.Generator().manual_seed(0))
        assert len({image.tobytes() for image in images}) == orientations


def test_a_generator_of_copies_is_stopped() -> None:
    training = noise(12)
    with pytest.raises(InputError, match=r"of 24 images drawn only 0 stay below synthesize.copy_likeness 0.6"):
        drawn_from(training, training, count=6)


@pytest.mark.parametrize("channels", [1, 3])
def test_the_chain_from_training_to_scores(channels: int, experiment, monkeypatch) -> None:
    params = experiment(channels=channels)
    train_features.main()
    train_gan.main("malignant", "0")
    synthesize.main("malignant", "0")
    score_synthetic.main("malignant", "0")
    images = np.load(SYNTHETIC / "images.npy")
    assert images.shape == (params["synthesize"]["count"], 32, 32, channels)
    assert images.dtype == np.uint8
    splits = pd.read_csv("data/splits.csv").set_index("image_id")
    assert set(splits.loc[pd.read_csv(SYNTHETIC / "manifest.csv")["nearest_image_id"], "split"]) == {"train"}
    assert Path("reports/samples/malignant_0.png").stat().st_size > 1000
    scores = json.loads(Path("reports/generators/malignant_0.json").read_text())
    contract = "variant parameters psnr ssim ms_gmsd mdsi haarpsi kid kid_std fid precision recall density coverage"
    contract += " copies_found n_real n_synthetic extractor extractor_sha256 reference"
    contract += " sliced_wasserstein checkpoint_kimg real_sha256"
    assert set(scores) == set(contract.split())
    assert scores["n_real"] == 10
    assert scores["copies_found"] == pd.read_csv(SYNTHETIC / "manifest.csv")["copy"].sum()
    monkeypatch.setattr(score_synthetic, "MAX_REAL", 8)
    score_synthetic.main("malignant", "0")
    assert json.loads(Path("reports/generators/malignant_0.json").read_text())["n_real"] == 8
    before = (SYNTHETIC / "images.npy").read_bytes()
    synthesize.main("malignant", "0")
    assert (SYNTHETIC / "images.npy").read_bytes() == before


def test_full_reference_measures_find_the_nearest_image() -> None:
    real = np.random.default_rng(0).integers(0, 256, (12, 32, 32, 3), dtype=np.uint8)
    synthetic = np.clip(real[[7, 2]].astype(int) + 2, 0, 255).astype(np.uint8)
    rng, cpu = np.random.default_rng(0), torch.device("cpu")
    scores = score_synthetic.full_reference(real, synthetic, 50, rng, cpu)
    as_float = [torch.from_numpy(x).permute(0, 3, 1, 2).float() / 255 for x in (synthetic, real[[7, 2]])]
    assert scores["psnr"] == pytest.approx(float(piq.psnr(*as_float)), rel=1e-5)
    assert scores["ssim"] > 0.99
    assert set(scores["reference"]) == {"random_pairs", "real_pairs", "noise_pairs"}
    assert scores["reference"]["random_pairs"]["psnr"] < 12


def test_scores_tell_good_images_from_bad(experiment) -> None:
    """More of the same images score better than noise, whatever the extractor has learnt."""
    experiment()
    train_features.main()
    images = np.load("data/images/images.npy")
    space = FeatureSpace(Path("data/features"), torch.device("cpu"))
    same = score_synthetic.in_feature_space(space, images[:30], images[30:], 3)
    bad = score_synthetic.in_feature_space(space, images[:30], noise(30, size=32), 3)
    assert same["kid"] < bad["kid"]
    assert same["fid"] < bad["fid"]
    assert same["coverage"] > bad["coverage"]
    assert abs(same["kid"]) < 4 * same["kid_std"]


def test_the_sample_grid_shows_images_row_by_row() -> None:
    images = np.arange(60, dtype=np.uint8)[:, None, None, None] * np.ones((1, 8, 8, 1), np.uint8)
    grid = np.asarray(contact_sheet(images, 10, 6))
    assert grid.shape == (48, 80)
    assert (grid[0, 0], grid[0, 79], grid[8, 0]) == (0, 9, 10)
