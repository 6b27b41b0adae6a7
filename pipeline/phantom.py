"""Stage phantom: nothing in; an archive of procedural dermoscopy out, and the truth about it."""

from pathlib import Path

from pydantic import Field

from pipeline.dermoscopy.archive import write_archive
from pipeline.params.phantom import PhantomParams
from pipeline.params.reader import StageParams, read_params
from pipeline.stage import run_stage
from pipeline.store import replaced_directory

PHANTOM = Path("data/raw/phantom")


class Params(StageParams):
    phantom: PhantomParams = Field(alias="phantom")
    seed: int = Field(alias="seed")


def main() -> None:
    params = read_params(Params)
    with replaced_directory(PHANTOM) as directory:
        write_archive(directory, params.phantom, params.seed)


if __name__ == "__main__":
    run_stage(main)
