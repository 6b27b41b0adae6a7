"""PNGs from a trained generator, by command."""

import sys
from pathlib import Path

import numpy as np
import pytest
import yaml
from PIL import Image

from pipeline import sample, train_gan

CHECKPOINT = "data/checkpoints/gan/malignant/0"


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> str | None:
    """What the command says as it ends in an error, or None."""
    monkeypatch.setattr(sys, "argv", ["sample", *arguments])
    try:
        sample.main()
    except SystemExit as stopped:
        return str(stopped.code)
    return None


def drawn(folder: str) -> list[np.ndarray]:
    return [np.asarray(Image.open(file)) for file in sorted(Path(folder).iterdir())]


@pytest.mark.parametrize(("variant", "channels"), [("dcgan", 3), ("cgan", 1), ("autoencoder", 3)])
def test_the_seed_decides_and_an_image_is_the_same_whatever_the_count(
    variant: str, channels: int, experiment, monkeypatch
) -> None:
    params = experiment(channels=channels)
    params["gan"]["variant"] = variant
    Path("params.yaml").write_text(yaml.safe_dump(params))
    train_gan.main("malignant", "0")
    for folder, count, seed in (("many", "70", "0"), ("few", "3", "0"), ("other", "3", "1")):
        told = ["--checkpoint", CHECKPOINT, "--count", count, "--out", folder, "--seed", seed]
        assert run(monkeypatch, *told) is None
    many, few, other = drawn("many"), drawn("few"), drawn("other")
    assert len(many) == 70
    assert many[0].shape == ((32, 32, 3) if channels == 3 else (32, 32))
    assert len({image.tobytes() for image in many}) == 70
    assert all(np.array_equal(*pair) for pair in zip(many, few, strict=False))
    assert not np.array_equal(few[0], other[0])


def test_mistakes_are_one_sentence(experiment, monkeypatch) -> None:
    experiment()
    train_gan.main("malignant", "0")
    kept = Path("kept/note.txt")
    kept.parent.mkdir()
    kept.write_text("mine")
    good = {"--checkpoint": CHECKPOINT, "--count": "2", "--out": "new"}
    for changed, said in (
        ({"--out": "kept"}, "sample: --out kept is not empty"),
        ({"--count": "0"}, "sample: --count is 0; give 1 or more"),
        ({"--checkpoint": "data/images"}, "holds no model.json"),
        ({"--checkpoint": "data/features"}, "it is no generator's"),
    ):
        told = [part for option in (good | changed).items() for part in option]
        assert said in (run(monkeypatch, *told) or "")
    assert kept.read_text() == "mine"
    assert not Path("new").exists()
