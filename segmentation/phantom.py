"""Stage phantom: nothing in; procedural dermoscopy with the masks of its lesions out."""

from pathlib import Path

from pydantic import Field

from pipeline.dermoscopy.archive import write_archive
from pipeline.params.phantom import PhantomParams
from pipeline.params.reader import StageParams, read_params
from pipeline.seeding import derive_seed
from pipeline.stage import run_stage
from pipeline.store import replaced_directory
from segmentation.params import PARAMS

PHANTOM = Path("data/segmentation/raw/phantom")


class Params(StageParams):
    phantom: PhantomParams = Field(alias="phantom")
    seed: int = Field(alias="seed")


def main() -> None:
    params = read_params(Params, PARAMS)
    with replaced_directory(PHANTOM) as directory:
        write_archive(directory, params.phantom, derive_seed(params.seed, "segmentation"))


if __name__ == "__main__":
    run_stage(main)
