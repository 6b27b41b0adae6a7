"""A training step of a generator and its discriminator, beside the loop of PyTorch's DCGAN tutorial in float32."""

import copy
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim import Adam

from benchmarks.hot_paths import HotPath, counted_flops, dtype_in
from models.generators import build_variant
from models.generators.families import Adversarial
from pipeline.compute import autocast
from pipeline.params.gan import GanTrainParams
from pipeline.params.generators import SETTINGS
from pipeline.params.reader import read_tree
from pipeline.training.adversarial import AdversarialRun
from pipeline.training.generator import RunInputs
from pipeline.training.ranks import Ranks

RECIPE = Path(__file__).parents[2] / "recipes/isic.yaml"  # networks of the usual size
TRAINING_IMAGES = 512
NOTE = "neither augments; ours averages the weights too"


def paths(device: torch.device, folder: Path) -> Iterator[HotPath]:
    for variant in ("dcgan", "sngan"):
        for size in (64, 128):
            for batch in (16, 64):
                yield path(variant, size, batch, device)


def path(name: str, size: int, batch: int, device: torch.device) -> HotPath:
    run = start(name, size, batch, device, Ranks())
    plain = plain_step(name, copy.deepcopy(run.variant), run.images.contiguous(), batch)

    def ours() -> None:
        run.step()

    title = f"GAN step: {name}, {size} px, batch {batch}"
    dtype = dtype_in(run.autocast(), device)
    flops = counted_flops(ours)
    return HotPath(title, "images", batch, ours, plain, batch, floor=1.7, flops=flops, dtype=dtype, note=NOTE)


def start(name: str, size: int, batch: int, device: torch.device, ranks: Ranks) -> AdversarialRun:
    variant, _ = usual_variant(name, size)
    images = torch.randint(0, 256, (TRAINING_IMAGES, size, size, 3), dtype=torch.uint8).to(device).permute(0, 3, 1, 2)
    labels = torch.zeros(len(images), dtype=torch.long, device=device)
    train = GanTrainParams.model_validate(
        {**read_tree(RECIPE)["gan"]["train"], "batch_size": batch, "diff_augment": []}
    )
    precision = partial(autocast, device, "auto", cpu_gains=True)
    return AdversarialRun(variant, RunInputs(images, labels, train, 0, device, precision, ranks))


def usual_variant(name: str, size: int) -> tuple[Any, dict[str, Any]]:
    """A variant with fresh weights and its settings: those of RECIPE."""
    settings = SETTINGS[name].model_validate(read_tree(RECIPE)["gan"]["variants"][name]).model_dump()
    torch.manual_seed(0)
    return build_variant(name, image_size=size, channels=3, classes=1, **settings), settings


def plain_step(name: str, variant: Adversarial, images: Tensor, batch: int) -> Callable[[], None]:
    """One step on a batch of floats: real and fake through the discriminator, then the generator; losses are read."""
    device = images.device
    generator, discriminator = variant.generator.to(device), variant.discriminator.to(device)
    generator_optimizer, discriminator_optimizer = (
        Adam(network.parameters(), lr=2e-4, betas=(0.5, 0.999)) for network in (generator, discriminator)
    )
    real_loss, fake_loss, generator_loss = LOSSES[name]
    labels = torch.zeros(batch, dtype=torch.long, device=device)
    floats = images.float() / 127.5 - 1
    curve = []

    def step() -> None:
        chosen = torch.randint(len(floats), (batch,))
        discriminator.zero_grad()
        on_real = real_loss(discriminator(floats[chosen], labels))
        on_real.backward()
        fake = generator(torch.randn(batch, variant.latent_dim, device=device), labels)
        on_fake = fake_loss(discriminator(fake.detach(), labels))
        on_fake.backward()
        discriminator_optimizer.step()
        generator.zero_grad()
        loss = generator_loss(discriminator(fake, labels))
        loss.backward()
        generator_optimizer.step()
        curve.append((on_real.item(), on_fake.item(), loss.item()))

    return step


def cross_entropy(logits: Tensor, target: float) -> Tensor:
    return nn.functional.binary_cross_entropy_with_logits(logits, torch.full_like(logits, target))


LOSSES: dict[str, tuple[Callable[[Tensor], Tensor], ...]] = {  # of logits: real, fake, the generator's
    "dcgan": (
        lambda logits: cross_entropy(logits, 1.0),
        lambda logits: cross_entropy(logits, 0.0),
        lambda logits: cross_entropy(logits, 1.0),
    ),
    "sngan": (
        lambda logits: F.relu(1 - logits).mean(),
        lambda logits: F.relu(1 + logits).mean(),
        lambda logits: -logits.mean(),
    ),
}
