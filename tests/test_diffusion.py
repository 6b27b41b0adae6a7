"""The diffusion variant: what it minimises, and that it can draw what it knows."""

from typing import Any

import pytest
import torch

from pipeline.params.document import mistakes
from tests.test_train_gan import new_run
from tests.variants import built


class Oracle(torch.nn.Module):
    """Knows the one image there is, and so the noise in any noisy version of it."""

    def __init__(self, image: torch.Tensor, schedule: Any) -> None:
        super().__init__()
        self.image, self.shares = image, schedule.alphas_cumprod

    def forward(self, noisy: torch.Tensor, levels: torch.Tensor) -> Any:
        kept = self.shares[levels].view(-1, 1, 1, 1)
        return type("Found", (), {"sample": (noisy - kept.sqrt() * self.image) / (1 - kept).sqrt()})


def test_a_network_that_knows_the_noise_has_no_loss_and_draws_the_image(smoke_params: dict[str, Any]) -> None:
    variant = built("ddpm", smoke_params)
    image = torch.rand(3, 32, 32, generator=torch.Generator().manual_seed(0)) * 1.8 - 0.9
    variant.generator.network = Oracle(image, variant.generator.schedule)
    rng = torch.Generator().manual_seed(1)
    loss = variant.loss(image.expand(6, -1, -1, -1), rng)["noise"]
    assert loss.shape == (6,)
    assert loss.max() < 1e-4
    drawn = variant.sample(torch.zeros(2), rng)
    assert torch.allclose(drawn, image.expand(2, -1, -1, -1), atol=0.02)


def test_every_parameter_gets_a_gradient_and_steps_find_the_noise(experiment) -> None:
    run = new_run(experiment(), "ddpm", diff_augment=[], batch_size=20)
    losses = [float(run.step()["denoiser_loss_noise"]) for _ in range(30)]
    assert sum(losses[-5:]) < 0.8 * sum(losses[:5])
    for name, parameter in run.variant.generator.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.abs().sum() > 0, name


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"gan.train.diff_augment": ["dihedral", "color"]}, "has color, and gan.variant ddpm would learn to draw it"),
        ({}, "gan.variant is ddpm, which needs diffusers; pip install diffusers"),
    ],
)
def test_what_it_needs_is_said(changed: dict, said: str, smoke_params, monkeypatch: pytest.MonkeyPatch) -> None:
    smoke_params["gan"]["variant"] = "ddpm"
    assert mistakes(smoke_params) == []
    if changed:
        smoke_params["gan"]["train"]["diff_augment"] = changed["gan.train.diff_augment"]
    else:
        monkeypatch.setattr("pipeline.params.document.find_spec", lambda name: None)
    (line,) = mistakes(smoke_params)
    assert said in line


@pytest.mark.parametrize("steps", [2, 50, 600, 1000])
def test_drawing_begins_where_there_is_noise_only(steps: int, smoke_params: dict[str, Any]) -> None:
    schedule = built("ddpm", smoke_params, sampling_steps=steps).generator.schedule
    assert len(schedule.timesteps) == steps
    assert schedule.alphas_cumprod[schedule.timesteps[0]] < 1e-6
