"""Stage train_features: training images in, a self-supervised feature extractor out."""

from pathlib import Path

import torch
from pydantic import Field

from models.extractor import Extractor
from pipeline.checkpoints import save_model
from pipeline.compute import read_device
from pipeline.images import at_size, open_images, rows_of
from pipeline.params.features import FeaturesParams
from pipeline.params.reader import StageParams, read_params
from pipeline.progress import progress_bar
from pipeline.seeding import derive_seed
from pipeline.stage import run_stage
from pipeline.store import read_csv, replaced_directory
from pipeline.training.batches import as_tensor
from pipeline.training.contrastive import train_extractor

IMAGES = Path("data/images")
SPLITS = Path("data/splits.csv")
FEATURES = Path("data/features")


class Params(StageParams):
    seed: int = Field(alias="seed")
    features: FeaturesParams = Field(alias="features")


def main() -> None:
    params = read_params(Params)
    packed, rows = open_images(IMAGES), rows_of(read_csv(SPLITS), "train")
    images = as_tensor(at_size(packed[rows], params.features.image_size), read_device())
    seed = derive_seed(params.seed, "features")
    torch.manual_seed(seed)
    extractor = Extractor(packed.shape[3], params.features.width).to(images.device)
    with progress_bar("extractor", params.features.steps, "steps") as bar:
        losses = train_extractor(extractor, images, params.features, seed, bar.update)
    with replaced_directory(FEATURES) as directory:
        save_model(
            directory,
            extractor,
            {
                "name": "contrastive",
                "channels": packed.shape[3],
                "width": params.features.width,
                "image_size": params.features.image_size,
                "training_images": len(images),
                "first_loss": losses[0],
                "last_loss": losses[-1],
            },
        )


if __name__ == "__main__":
    run_stage(main)
