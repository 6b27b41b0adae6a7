"""Stage control_view: images with the lesion covered in; how well malignant ones are still told out."""

from pathlib import Path

from pydantic import Field

from pipeline.controls import SCHEME, write_control
from pipeline.fitting import FittingParams, fitted, read_pretrained
from pipeline.hiding import VIEWS
from pipeline.images import MASKS, at_size, contact_sheet, open_images, rows_of
from pipeline.params.evaluate import EvaluateParams
from pipeline.params.reader import read_params
from pipeline.stage import run_stage
from pipeline.store import read_csv, replaced_file

IMAGES = Path("data/images")
SPLITS = Path("data/splits.csv")
PICTURES = Path("reports/controls")
SEED = "0"
GRID = (8, 2)  # columns, rows of the picture


class Params(FittingParams):
    evaluate: EvaluateParams = Field(alias="evaluate")


def main(view: str) -> None:
    params = read_params(Params)
    splits = read_csv(SPLITS)
    masks = open_images(IMAGES, MASKS) if (IMAGES / MASKS).is_file() else None
    covered = VIEWS[view](open_images(IMAGES), masks)
    packed = at_size(covered, params.image_size)
    pretrained = read_pretrained(params.weights, params.model)
    with fitted(params, SCHEME, (view, SEED), packed, splits, [], pretrained, real=True) as fit:
        write_control(view, fit.predictions, splits, params.evaluate.confidence)
        with replaced_file(PICTURES / f"{view}.png") as partial:
            contact_sheet(covered[rows_of(splits, "test")], *GRID).save(partial, "PNG")


if __name__ == "__main__":
    run_stage(main, "view")
