"""Stage score_synthetic: synthetic and training images of one class and the extractor in, their distances out."""

import hashlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import piq
import torch
from numpy.typing import NDArray
from pydantic import Field
from torch import Tensor

from pipeline.checkpoints import read_built_with
from pipeline.compute import take_device
from pipeline.feature_space import FeatureSpace
from pipeline.images import at_size, open_images, rows_of
from pipeline.metrics.distribution import fid, kid, prdc
from pipeline.metrics.sliced_wasserstein import sliced_wasserstein
from pipeline.params.classes import TARGETS, ClassName
from pipeline.params.reader import StageParams, read_params
from pipeline.params.score import ScoreParams
from pipeline.progress import progress_bar
from pipeline.seeding import derive_seed
from pipeline.stage import run_stage
from pipeline.store import read_csv, write_json
from pipeline.training.batches import as_tensor

SYNTHETIC = Path("data/synthetic")
CHECKPOINTS = Path("data/checkpoints/gan")
IMAGES = Path("data/images")
SPLITS = Path("data/splits.csv")
FEATURES = Path("data/features")
SCORES = Path("reports/generators")
MANIFEST = "manifest.csv"
BATCH_SIZES = {"cpu": 16, "cuda": 128}  # pairs; on a processor more would leave its cache, and take half as long again
MAX_REAL = 10_000  # training images compared with, drawn at random where there are more: pairs grow with the square

# (images, references), both (N, C, H, W) in [0, 1] -> (N,). MS-GMSD and MDSI: 0 is identical; the others: 1 or more dB.
Measure = Callable[[Tensor, Tensor], Tensor]
MEASURES: dict[str, Measure] = {
    "psnr": lambda x, y: piq.psnr(x, y, reduction="none"),
    "ssim": lambda x, y: piq.ssim(x, y, reduction="none"),
    "ms_gmsd": lambda x, y: piq.multi_scale_gmsd(x, y, reduction="none"),
    "mdsi": lambda x, y: piq.mdsi(x.expand(-1, 3, -1, -1), y.expand(-1, 3, -1, -1), reduction="none"),  # wants colour
    "haarpsi": lambda x, y: piq.haarpsi(x, y, reduction="none"),
}


class Params(StageParams):
    seed: int = Field(alias="seed")
    score: ScoreParams = Field(alias="score")
    threads: int = Field(alias="compute.threads")


def main(class_name: ClassName, gan_seed: str) -> None:
    params = read_params(Params)
    device = take_device(params.threads)
    synthetic = np.array(open_images(SYNTHETIC / class_name / gan_seed))
    rng = np.random.default_rng(derive_seed(params.seed, "score", class_name, gan_seed))
    rows = rows_of(read_csv(SPLITS), "train", TARGETS[class_name])
    if len(rows) > MAX_REAL:
        rows = np.sort(rng.choice(rows, MAX_REAL, replace=False))
    real = at_size(open_images(IMAGES)[rows], synthetic.shape[1])
    built = read_built_with(CHECKPOINTS / class_name / gan_seed)
    manifest = read_csv(SYNTHETIC / class_name / gan_seed / MANIFEST)
    scores = {
        "variant": built["variant"],
        "parameters": built["parameters"],
        "checkpoint_kimg": built["chosen"]["kimg"],
        "copies_found": int(manifest["copy"].sum()),
        "n_real": len(real),
        "n_synthetic": len(synthetic),
        "real_sha256": hashlib.sha256(real.tobytes()).hexdigest(),
        "sliced_wasserstein": sliced_wasserstein(real, synthetic, rng),
        **in_feature_space(FeatureSpace(FEATURES, device), real, synthetic, params.score.neighbours),
        **full_reference(real, synthetic, params.score.pairs, rng, device),
    }
    write_json(SCORES / f"{class_name}_{gan_seed}.json", scores)


def in_feature_space(
    space: FeatureSpace, real: NDArray[np.uint8], synthetic: NDArray[np.uint8], neighbours: int
) -> dict[str, float | str]:
    """KID, FID, precision, recall, density and coverage of packed images against the class's training images."""
    features_real, features_synthetic = space.features(real), space.features(synthetic)
    distance = kid(features_real, features_synthetic)
    return {
        "kid": distance.value,
        "kid_std": distance.standard_error,
        "fid": fid(features_real, features_synthetic),
        **prdc(features_real, features_synthetic, neighbours)._asdict(),
        "extractor": space.name,
        "extractor_sha256": space.sha256,
    }


def full_reference(
    real: NDArray[np.uint8],
    synthetic: NDArray[np.uint8],
    pairs: int,
    rng: np.random.Generator,
    device: torch.device,
) -> dict[str, object]:
    """The five paired measures of synthetic images against their nearest training image, and what to read them by.

    Returns: the five against the nearest real image in pixels, and under ``reference`` the five for random
        synthetic-real pairs, for pairs of different real images, and for uniform noise against real images.
    """
    pairs = min(pairs, len(synthetic))
    known, drawn = as_tensor(real, device).float() / 255, as_tensor(synthetic[:pairs], device).float() / 255
    nearest = torch.cdist(drawn.flatten(1), known.flatten(1)).argmin(dim=1)
    one = rng.integers(len(real), size=pairs)
    other = (one + rng.integers(1, len(real), size=pairs)) % len(real)
    noise = torch.from_numpy(rng.random(drawn.shape, dtype=np.float32)).to(device)
    compared = {
        "nearest": (drawn, known[nearest]),
        "random_pairs": (drawn, known[one]),
        "real_pairs": (known[other], known[one]),
        "noise_pairs": (noise, known[one]),
    }
    with progress_bar("paired measures", len(compared) * pairs, "pairs") as bar:
        rows = {}
        for name, (images, references) in compared.items():
            rows[name] = mean_measures(images, references)
            bar.update(pairs)
    return {**rows.pop("nearest"), "reference": rows}


@torch.no_grad()
def mean_measures(images: Tensor, references: Tensor) -> dict[str, float]:
    """The five measures, each the mean over pairs; images (N, C, H, W) in [0, 1]."""
    size = BATCH_SIZES.get(images.device.type, 16)
    batches = list(zip(images.split(size), references.split(size), strict=True))
    return {name: float(torch.cat([measure(*batch) for batch in batches]).mean()) for name, measure in MEASURES.items()}


if __name__ == "__main__":
    run_stage(main, "class", "seed")
