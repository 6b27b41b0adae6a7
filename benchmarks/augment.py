"""How long the standard augmentation of a batch takes, beside torchvision.transforms.v2 applied to one image at a time.

python -m benchmarks.augment [--rounds 15]: both ways in turn, the median of the rounds, and what each makes of an
optimizer step of the small classifier of params.yaml. OMP_NUM_THREADS sets the threads.
"""

import argparse
from collections.abc import Callable
from functools import partial
from statistics import median
from time import perf_counter

import torch
from torch import Generator, Tensor
from torchvision.transforms import InterpolationMode, v2  # type: ignore[import-untyped]

from models.augment import standard
from models.classifier import Classifier
from pipeline.training.batches import to_unit_range

# The operations, strengths and probabilities of ``standard``; the border comes out black, as theirs has no mirror.
THEIRS = v2.Compose(
    [
        v2.RandomHorizontalFlip(),
        v2.RandomVerticalFlip(),
        v2.RandomApply([v2.Lambda(partial(torch.transpose, dim0=1, dim1=2))], p=0.5),
        v2.RandomApply(
            [v2.RandomAffine(30, (0.06, 0.06), (0.85, 1.15), interpolation=InterpolationMode.BILINEAR)], 0.7
        ),
        v2.ColorJitter(brightness=0.15, contrast=0.2, saturation=0.2, hue=8 / 360),
        v2.RandomErasing(p=0.3, scale=(0.09, 0.09), ratio=(1, 1), value=128),
    ]
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=15)
    given = parser.parse_args()
    print(f"{torch.get_num_threads()} threads, medians of {given.rounds} rounds, milliseconds per batch")
    print("batch  px   ours  theirs  ratio (range)        step  step with theirs / with ours")
    for size in (48, 64, 128):
        for batch in (32, 64):
            ours, theirs, step = timed(batch, size, given.rounds)
            ratios = sorted(slow / fast for slow, fast in zip(theirs, ours, strict=True))
            slower = (median(step) + median(theirs)) / (median(step) + median(ours))
            print(
                f"{batch:5d} {size:3d} {median(ours):6.1f} {median(theirs):7.1f} {median(ratios):6.1f} "
                f"({ratios[0]:.1f} to {ratios[-1]:.1f})  {median(step):8.1f} {slower:6.2f}"
            )


def timed(batch: int, size: int, rounds: int) -> tuple[list[float], list[float], list[float]]:
    """Milliseconds of each round: our augmentation, theirs, and a step of the classifier without either."""
    images = torch.randint(0, 256, (batch, 3, size, size), dtype=torch.uint8)
    rng = Generator().manual_seed(0)
    torch.manual_seed(0)
    ways = (
        lambda: standard(to_unit_range(images), rng),
        lambda: to_unit_range(torch.stack([THEIRS(image) for image in images])),
        classifier_step(to_unit_range(images)),
    )
    for way in ways:
        way()
    times = [[milliseconds(way) for way in ways] for _ in range(rounds)]
    ours, theirs, step = map(list, zip(*times, strict=True))
    return ours, theirs, step


def milliseconds(way: Callable[[], object]) -> float:
    start = perf_counter()
    way()
    return 1000 * (perf_counter() - start)


def classifier_step(images: Tensor) -> Callable[[], object]:
    network = Classifier(
        model="efficientnet-b0",
        width=0.35,
        depth=0.35,
        image_size=images.shape[2],
        channels=3,
        frozen_blocks=0,
        batch_norm_momentum=0.15,
        dropout=0.2,
    )
    optimizer = torch.optim.AdamW(network.parameters())
    network.to(memory_format=torch.channels_last).train()

    def step() -> None:
        optimizer.zero_grad()
        network(images.contiguous(memory_format=torch.channels_last)).sum().backward()
        optimizer.step()

    return step


if __name__ == "__main__":
    main()
