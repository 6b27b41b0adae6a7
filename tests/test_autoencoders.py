"""Autoencoders: what they minimise, and the codes that they draw."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import torch
import yaml
from PIL import Image

from models.generators.codes import CodeGenerator, squared_error
from pipeline import train_gan
from pipeline.draw_codes import draw_codes, psnr
from pipeline.errors import InputError
from pipeline.training.autoencoder import AutoencoderRun
from tests.test_train_gan import CHECKPOINT, new_run
from tests.variants import AUTOENCODERS, built


@pytest.mark.parametrize("name", AUTOENCODERS)
def test_every_parameter_gets_a_gradient(name: str, smoke_params: dict[str, Any]) -> None:
    variant = built(name, smoke_params)
    images = torch.rand(4, 3, 32, 32) * 2 - 1
    terms = variant.loss(variant.generator.encoder, variant.generator.decode, images, torch.Generator().manual_seed(0))
    assert all(term.shape == (4,) for term in terms.values())
    torch.stack([term.mean() for term in terms.values()]).sum().backward()
    for parameter_name, parameter in variant.generator.named_parameters():
        assert parameter.grad is not None, parameter_name
        assert parameter.grad.abs().sum() > 0, parameter_name


@pytest.mark.parametrize("name", AUTOENCODERS)
def test_steps_bring_the_images_back(name: str, experiment) -> None:
    run = new_run(experiment(), name, diff_augment=[], batch_size=20)
    errors = [float(run.step()["autoencoder_loss_reconstruction"]) for _ in range(40)]
    assert errors[-1] < 0.85 * errors[0]  # noise has no code: its own variance stays


def test_the_reconstruction_error_is_half_the_squared_distance() -> None:
    images = torch.zeros(2, 3, 4, 4)
    assert squared_error(images, images + 0.5).tolist() == pytest.approx([0.5 * 0.25 * 48] * 2)


def test_noise_is_added_to_what_is_coded_and_not_to_what_is_to_come_back(smoke_params: dict[str, Any]) -> None:
    """Of constant images, coded by their standard deviation and given back as 0.5 more."""
    variant = built("denoising_autoencoder", smoke_params, noise=0.3)
    images, seen = torch.zeros(8, 3, 32, 32), []

    def encode(noisy: torch.Tensor) -> torch.Tensor:
        seen.append(noisy)
        return images

    terms = variant.loss(encode, lambda codes: codes + 0.5, images, torch.Generator().manual_seed(0))
    assert float(seen[0].std()) == pytest.approx(0.3, rel=0.02)
    assert terms["reconstruction"].tolist() == pytest.approx([0.5 * 0.25 * 3072] * 8)


def test_codes_are_drawn_from_the_distribution_of_the_training_images_codes() -> None:
    generator = CodeGenerator(32, 3, 6, 4, 4, 6, fitted=True)
    mixing = torch.randn(6, 6, generator=torch.Generator().manual_seed(0))
    mixing[5] = 0  # a direction without spread
    codes = torch.randn(5000, 6, generator=torch.Generator().manual_seed(1)) @ mixing.T + torch.arange(6)
    generator.fit(codes)
    assert torch.allclose(generator.mean, codes.mean(dim=0), atol=1e-5)
    assert torch.allclose(generator.root @ generator.root.T, codes.T.cov(correction=0), atol=1e-3)
    z = torch.randn(3, 6)
    assert torch.equal(generator(z, z), generator.decode(z @ generator.root.T + generator.mean))
    unfitted = CodeGenerator(32, 3, 6, 4, 4, 6, fitted=False)
    unfitted.fit(codes)
    assert torch.equal(unfitted(z, z), unfitted.decode(z))


def test_what_is_drawn_follows_the_training(experiment) -> None:
    """The codes are fitted anew at every look, to the average's encoder."""
    run = new_run(experiment(), "autoencoder", batch_size=20)
    assert isinstance(run, AutoencoderRun)
    means = []
    for _ in range(2):
        run.step()
        means.append(run.drawing().mean.clone())
    assert not torch.equal(*means)
    codes = run.ema.encode(run.images.float() / 127.5 - 1)
    assert torch.allclose(means[1], codes.mean(dim=0), atol=1e-5)


def test_the_picture_of_codes(experiment, monkeypatch: pytest.MonkeyPatch) -> None:
    params = experiment(images=120)
    for name in ("vae", "dcgan"):
        params["gan"]["variant"] = name
        Path("params.yaml").write_text(yaml.safe_dump(params))
        train_gan.main("malignant", "0")
        if name == "vae":
            draw_codes(CHECKPOINT, Path("codes.png"))
            splits = pd.read_csv("data/splits.csv")
            of_val = splits.index[(splits["split"] == "val") & (splits["target"] == 1)]
            splits.drop(of_val[5:]).to_csv("fewer.csv", index=False)
            with monkeypatch.context() as patched:
                patched.setattr("pipeline.draw_codes.SPLITS", Path("fewer.csv"))
                with pytest.raises(InputError, match=r"has 5 validation images .* and 6 are drawn"):
                    draw_codes(CHECKPOINT, Path("none.png"))
    with Image.open("codes.png") as picture:
        assert picture.size == (1100, 1800)
    with pytest.raises(InputError, match="is a dcgan, which has no codes; give an autoencoder's folder"):
        draw_codes(CHECKPOINT, Path("codes.png"))


def test_psnr_is_the_formula() -> None:
    images = torch.zeros(2, 1, 4, 4)
    assert psnr(images + 0.2, images) == pytest.approx(20, abs=1e-4)
