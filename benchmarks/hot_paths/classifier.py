"""A training step of EfficientNet, and an epoch from photographs, beside a plain efficientnet-pytorch loop."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
import torch
from efficientnet_pytorch import EfficientNet
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor
from torch.optim import Adam
from torch.utils.data import DataLoader, Dataset
from torchvision import transforms  # type: ignore[import-untyped]

from benchmarks.hot_paths import HotPath, counted_flops, dtype_in
from benchmarks.prepare import blotches, prepared
from models.classifier import IMAGENET_MEAN, IMAGENET_STD, Classifier
from pipeline.compute import autocast
from pipeline.params.classifier import ClassifierTrainParams
from pipeline.training.batches import as_tensor, to_unit_range
from pipeline.training.classifier import ClassifierRun, classifier_step
from pipeline.training.ranks import Ranks

SIZE, BATCH = 128, 32
MODELS = ("efficientnet-b0", "efficientnet-b3")
WIDTH, HEIGHT = 1024, 768  # px, of the photographs
PHOTOGRAPHS = 192
WORKERS = 2


def steps(device: torch.device, folder: Path) -> Iterator[HotPath]:
    pixels = np.random.default_rng(0).integers(0, 256, (2 * BATCH, SIZE, SIZE, 3), dtype=np.uint8)
    for model in MODELS:
        run = start(model, pixels, device, augment="none")
        trained = PlainTraining(model, device)
        batch = (as_tensor(pixels[:BATCH], device).float() / 255).contiguous()
        yield HotPath(
            f"classifier step: {model[-2:]}, {SIZE} px, batch {BATCH}",
            *("images", BATCH, partial(step, run), partial(trained.step, batch, torch.arange(BATCH) % 2), BATCH),
            floor=1.5,
            flops=training_flops(run, BATCH),
            dtype=dtype_in(run.autocast(), device),
            note="neither augments",
        )


def epochs(device: torch.device, folder: Path) -> Iterator[HotPath]:
    """An epoch of ours takes packed images: ``prepare`` opens each photograph once for all trainings."""
    files = [folder / f"{number:04d}.jpg" for number in range(PHOTOGRAPHS)]
    for number, file in enumerate(files):
        blotches(np.random.default_rng(number), WIDTH, HEIGHT).save(file, quality=92)
    pixels = prepared(files, SIZE)
    for model in MODELS:
        run = start(model, pixels, device, augment="standard")
        trained = PlainTraining(model, device)
        yield HotPath(
            f"classifier epoch: {model[-2:]}, {SIZE} px, from {WIDTH}x{HEIGHT} JPEGs",
            *("images", PHOTOGRAPHS, partial(epoch, run), partial(trained.epoch, files), PHOTOGRAPHS),
            floor=3,
            flops=training_flops(run, PHOTOGRAPHS),
            dtype=dtype_in(run.autocast(), device),
            note=f"ours from packed images; the plain loop decodes with {WORKERS} workers",
        )


def start(model: str, pixels: NDArray[np.uint8], device: torch.device, augment: str) -> ClassifierRun:
    torch.manual_seed(0)
    network = Classifier(
        model=model,
        width=None,
        depth=None,
        image_size=SIZE,
        channels=3,
        frozen_blocks=0,
        batch_norm_momentum=0.01,
        dropout=0.2,
    )
    targets = np.arange(len(pixels)) % 2
    train = ClassifierTrainParams(
        steps=10_000,
        batch_size=BATCH,
        accumulate=1,
        learning_rate=1e-4,
        weight_decay=0.0,
        schedule="constant",
        evaluate_steps=10_000,
    )
    return ClassifierRun(
        network,
        images=as_tensor(pixels, device),
        targets=targets,
        val_images=as_tensor(pixels[:2], device),
        val_targets=targets[:2],
        augment=augment,
        sampler="shuffled",
        loss="bce",
        train=train,
        test_time_augmentation="none",
        stream_seed=lambda name: 0,
        device=device,
        autocast=lambda: autocast(device, "auto", cpu_gains=False),
        ranks=Ranks(),
    )


def training_flops(run: ClassifierRun, images: int) -> float:
    """Of so many images, forward and backward, the latter counted as twice the former."""
    shown = to_unit_range(run.images[:1])
    with torch.no_grad():
        return 3 * images * counted_flops(lambda: run.network.eval()(shown))


def step(run: ClassifierRun) -> None:
    classifier_step(run)
    run.step += 1


def epoch(run: ClassifierRun) -> None:
    for _ in range(len(run.images) // BATCH):
        step(run)


class Photographs(Dataset[tuple[Tensor, int]]):
    def __init__(self, files: list[Path]) -> None:
        self.files = files
        self.transform = transforms.Compose(
            [
                transforms.Resize(SIZE),
                transforms.CenterCrop(SIZE),
                transforms.RandomHorizontalFlip(),
                transforms.RandomVerticalFlip(),
                transforms.RandomRotation(30),
                transforms.ToTensor(),
                transforms.Normalize(IMAGENET_MEAN, IMAGENET_STD),
            ]
        )

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        return self.transform(Image.open(self.files[index]).convert("RGB")), index % 2


class PlainTraining:
    """efficientnet-pytorch as its documentation shows it, with cross entropy and Adam; every loss is read."""

    def __init__(self, model: str, device: torch.device) -> None:
        torch.manual_seed(0)
        self.device = device
        self.network = EfficientNet.from_name(model, num_classes=2, image_size=SIZE).to(device).train()
        self.optimizer = Adam(self.network.parameters(), lr=1e-4)
        self.losses: list[float] = []

    def step(self, images: Tensor, targets: Tensor) -> None:
        loss = torch.nn.functional.cross_entropy(self.network(images.to(self.device)), targets.to(self.device))
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        self.losses.append(loss.item())

    def epoch(self, files: list[Path]) -> None:
        for images, targets in DataLoader(Photographs(files), BATCH, shuffle=True, num_workers=WORKERS):
            self.step(images, targets)
