"""Trains one adversarial generator, with many averages of its weights at once, and prints how good each is.

python -m benchmarks.averages [--class malignant] [--seed 0] [--half-lives 0 0.5 1 2 4] [--every 10]
    [--unseen test | DIR]

Run it in a project whose data are prepared (``dvc repro train_features``), with the variant and the budget of its
params.yaml but for ``gan.train.ema_kimg``; nothing is written. Half-lives are in kimg, 0 the weights as they are. For
each, KID and the sliced Wasserstein distance (see benchmarks.generators) with the batch-norm statistics that were
averaged with the weights, and with those measured anew, as train_gan draws.
"""

import argparse
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import torch
from torch import nn

from benchmarks.generators import unseen_images
from pipeline import train_gan
from pipeline.compute import take_device
from pipeline.errors import InputError
from pipeline.feature_space import FeatureSpace
from pipeline.metrics.distribution import kid
from pipeline.metrics.sliced_wasserstein import sliced_wasserstein
from pipeline.params.classes import TARGETS
from pipeline.params.reader import read_params
from pipeline.progress import progress_bar
from pipeline.training.adversarial import AdversarialRun
from pipeline.training.batches import to_uint8
from pipeline.training.ema import frozen_copy, update_ema
from pipeline.training.ranks import Ranks

DRAWN, BATCH_SIZE = 900, 100
RAMP = 0.5  # of the images seen: the longest half-life early on


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--class", dest="class_name", choices=sorted(TARGETS), default="malignant")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--half-lives", type=float, nargs="+", default=[0, 0.5, 1, 2, 4])
    parser.add_argument("--every", type=float, default=10, help="kimg from one look to the next")
    parser.add_argument("--unseen", default="test", help="test, or the folder of another project")
    given = parser.parse_args()
    try:
        compare(given)
    except (InputError, OSError) as error:
        sys.exit(f"averages: {error}")


def compare(given: argparse.Namespace) -> None:
    params = read_params(train_gan.Params)
    training, conditions = train_gan.training_images(params, given.class_name)
    ranks = Ranks(device=take_device(params.threads))
    run, told = train_gan.start_run(params, given.class_name, training, conditions, given.seed, ranks)
    if not isinstance(run, AdversarialRun):
        raise InputError(f"gan.variant is {params.variant}, which is not adversarial; choose another")
    unseen = unseen_images(given.unseen, given.class_name, params.image_size)
    space = FeatureSpace(train_gan.FEATURES, torch.device("cpu"))
    of_unseen = space.features(unseen)
    averages = {half_life: frozen_copy(run.variant.generator) for half_life in given.half_lives}

    def draw(generator: nn.Module) -> np.ndarray:
        rng = torch.Generator().manual_seed(0)
        variant, turned = replace(run.variant, generator=generator), run.variant.turns(params.train.diff_augment)
        labels = told.draw(DRAWN, rng, run.images.device).split(BATCH_SIZE)
        return np.concatenate([to_uint8(turned(variant.sample(batch, rng), rng)) for batch in labels])

    def distances(generator: nn.Module) -> str:
        drawn = draw(generator)
        apart = sliced_wasserstein(unseen, drawn, np.random.default_rng(0))
        return f"{kid(of_unseen, space.features(drawn)).value:.3f} {apart:.4f}"

    looks = 0
    print("kimg  half-life  KID and SWD: as averaged, measured anew")
    with progress_bar(params.variant, params.train.images, "images") as bar:
        while run.images_seen < params.train.images:
            before = run.images_seen
            run.step()
            for half_life, average in averages.items():
                longest = max(min(half_life * 1000, RAMP * run.images_seen), 1e-8)
                update_ema(average, run.variant.generator, 0.5 ** ((run.images_seen - before) / longest))
            bar.update(run.images_seen - before)
            if run.images_seen >= min((looks + 1) * given.every * 1000, params.train.images):
                looks += 1
                for half_life, average in averages.items():
                    with replaced(run, average):
                        line = f"{distances(average)}  {distances(run.drawing())}"
                    print(f"{run.images_seen / 1000:4.0f}  {half_life:9g}  {line}", flush=True)


@contextmanager
def replaced(run: AdversarialRun, average: nn.Module) -> Iterator[None]:
    """``run`` with another average, for as long as it does not train: it would move that one too."""
    own, run.ema = run.ema, average
    yield
    run.ema = own


if __name__ == "__main__":
    main()
