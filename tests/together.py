"""Short trainings without batch norm or augmentation, by as many processes as params.yaml says; the curves as JSON.

python -m tests.together OUT.json
"""

import contextlib
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from models.generators import build_variant
from pipeline.launch import end_others, start_ranks
from pipeline.params.classifier import ClassifierTrainParams
from pipeline.params.gan import GanTrainParams
from pipeline.params.generators import SETTINGS
from pipeline.params.reader import read_tree
from pipeline.store import write_json
from pipeline.training.adversarial import AdversarialRun
from pipeline.training.classifier import ClassifierRun, train_classifier
from pipeline.training.generator import RunInputs, train_generator
from pipeline.training.ranks import Ranks
from pipeline.training.segmenter import SegmenterRun, train_segmenter
from segmentation.params import TrainParams

RECIPE = Path(__file__).parents[1] / "recipes/smoke.yaml"
CPU = torch.device("cpu")
SIZE, IMAGES, BATCH, STEPS = 32, 24, 8, 12

Curve = list[dict[str, float]]


def main() -> None:
    ranks = start_ranks(threads=1)
    curves = {name: train(ranks) for name, train in TRAININGS.items()}
    end_others(ranks)
    write_json(Path(sys.argv[1]), curves)


def generator(ranks: Ranks) -> Curve:
    """r3 has no norm layers; its penalties are gradients of gradients."""
    tree = read_tree(RECIPE)["gan"]
    torch.manual_seed(0)
    settings = SETTINGS["r3"].model_validate(tree["variants"]["r3"] | {"lecam_weight": 0.1}).model_dump()
    variant = build_variant("r3", image_size=SIZE, channels=3, classes=1, **settings)
    shown = {"kimg": STEPS * BATCH / 1000, "log_kimg": BATCH / 1000, "checkpoint_kimg": 1, "min_recall": 0}
    train = GanTrainParams.model_validate(tree["train"] | shown | {"batch_size": BATCH, "diff_augment": []})
    labels = torch.zeros(IMAGES, dtype=torch.long)
    run = AdversarialRun(variant, RunInputs(images(), labels, train, 0, CPU, contextlib.nullcontext, ranks))
    train_generator(run, lambda network: {"val_kid": 1.0, "val_recall": 1.0}, lambda: None, lambda count: None)
    return [_without_level(row) for row in run.curve]


def _without_level(row: dict[str, float]) -> dict[str, float]:
    """A relativistic loss has no say in how high the logits are: rounding has, of which Adam makes whole steps."""
    level = ("real_logits", "fake_logits")
    margin = row["real_logits"] - row["fake_logits"]
    return {"margin": margin} | {name: value for name, value in row.items() if name not in level}


def classifier(ranks: Ranks, accumulate: int = 1) -> Curve:
    shared = {"schedule": "constant", "evaluate_steps": 1, "weight_decay": 0.0}
    train = ClassifierTrainParams.model_validate(
        {"steps": STEPS, "batch_size": BATCH, "accumulate": accumulate, "learning_rate": 1e-3, **shared}
    )
    targets = np.arange(IMAGES) % 2
    torch.manual_seed(0)
    head = [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 1), nn.Flatten(0)]
    run: Any = ClassifierRun(
        nn.Sequential(*features(), *head),  # type: ignore[arg-type]
        images=images(),
        targets=targets,
        val_images=images(),
        val_targets=targets,
        augment="none",
        sampler="shuffled",
        loss="bce",
        train=train,
        test_time_augmentation="none",
        stream_seed=lambda name: 0,
        device=CPU,
        autocast=contextlib.nullcontext,
        ranks=ranks,
    )
    train_classifier(run, lambda state: None, lambda steps: None)
    return run.curve


def segmenter(ranks: Ranks, accumulate: int = 1) -> Curve:
    train = TrainParams.model_validate(
        {
            "steps": STEPS,
            "batch_size": BATCH,
            "accumulate": accumulate,
            "learning_rate": 1e-3,
            "weight_decay": 0.0,
            "evaluate_steps": 1,
        }
    )
    torch.manual_seed(0)
    masks = (images()[:, 0] > 127).to(torch.uint8) * 255
    run = SegmenterRun(
        nn.Sequential(*features(), nn.Conv2d(8, 1, 1), nn.Flatten(1, 2)),
        images=images(),
        masks=masks,
        val_images=images(),
        val_masks=masks.numpy() > 0,
        val_patient=np.arange(IMAGES),
        augment="none",
        loss="bce",
        train=train,
        stream_seed=lambda name: 0,
        device=CPU,
        autocast=contextlib.nullcontext,
        ranks=ranks,
    )
    train_segmenter(run, lambda state: None, lambda steps: None)
    return run.curve


def features() -> list[nn.Module]:
    return [nn.Conv2d(3, 8, 3, padding=1), nn.SiLU(), nn.Conv2d(8, 8, 3, padding=1), nn.SiLU()]


def images() -> torch.Tensor:
    rng = torch.Generator().manual_seed(1)
    return torch.randint(0, 256, (IMAGES, 3, SIZE, SIZE), dtype=torch.uint8, generator=rng)


TRAININGS: dict[str, Callable[[Ranks], Curve]] = {
    "generator": generator,
    "classifier": classifier,
    "segmenter": segmenter,
}

if __name__ == "__main__":
    main()
