"""Stage train_features: training images in, a self-supervised feature extractor and what it sees out."""

from functools import partial
from pathlib import Path

import numpy as np
import torch
from pydantic import Field

from models.extractor import Extractor
from pipeline.checkpoints import save_model
from pipeline.compute import autocast, take_device
from pipeline.extractor_validation import validate
from pipeline.feature_space import FeatureSpace
from pipeline.images import at_size, open_images, rows_of
from pipeline.params.features import FeaturesParams
from pipeline.params.reader import StageParams, read_params
from pipeline.progress import progress_bar
from pipeline.seeding import derive_seed
from pipeline.stage import run_stage
from pipeline.store import read_csv, replaced_directory, write_json
from pipeline.training.batches import as_tensor
from pipeline.training.contrastive import train_extractor

IMAGES = Path("data/images")
SPLITS = Path("data/splits.csv")
FEATURES = Path("data/features")
VALIDATION = Path("reports/features.json")


class Params(StageParams):
    seed: int = Field(alias="seed")
    features: FeaturesParams = Field(alias="features")
    precision: str = Field(alias="compute.precision")
    threads: int = Field(alias="compute.threads")


def main() -> None:
    params = read_params(Params)
    packed, splits, size = open_images(IMAGES), read_csv(SPLITS), params.features.image_size
    training, held_out = (at_size(packed[rows_of(splits, split)], size) for split in ("train", "val"))
    device, seed = take_device(params.threads), derive_seed(params.seed, "features")
    torch.manual_seed(seed)
    extractor = Extractor(packed.shape[3], params.features.width).to(device)
    autocasting = partial(autocast, device, params.precision, cpu_gains=True)
    with progress_bar("extractor", params.features.steps, "steps") as bar:
        images = as_tensor(training, device)
        losses = train_extractor(extractor, images, params.features, autocasting, seed, bar.update)
    with replaced_directory(FEATURES) as directory:
        save_model(
            directory,
            extractor,
            {
                "name": "contrastive",
                "channels": packed.shape[3],
                "width": params.features.width,
                "image_size": size,
                "training_images": len(training),
                "first_loss": losses[0],
                "last_loss": losses[-1],
            },
        )
    found = validate(FeatureSpace(FEATURES, device), training, held_out, np.random.default_rng(seed))
    write_json(VALIDATION, found)
    print(f"KID between halves {found['halves']['kid']:.3g}; damage not seen: {', '.join(found['failed']) or 'none'}")


if __name__ == "__main__":
    run_stage(main)
