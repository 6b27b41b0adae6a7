"""Stage train_artefacts: nothing in; detectors of hair, ruler, ink, plaster and frame, and how well they do out.

They learn on photographs of the phantom, where what was drawn is known; archives do not say what lies on the skin.
"""

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field

from models.artefact_detector import ArtefactDetector
from pipeline.artefact_examples import Examples, draw_examples
from pipeline.checkpoints import BUILT_WITH, save_model
from pipeline.compute import autocast, take_device
from pipeline.errors import InputError
from pipeline.metrics.ranking import placements
from pipeline.params.artefacts import ArtefactsParams
from pipeline.params.reader import StageParams, read_params
from pipeline.progress import progress_bar
from pipeline.seeding import derive_seed
from pipeline.stage import run_stage
from pipeline.store import replaced_directory, write_json
from pipeline.training.artefacts import detect, shows, train_detector
from pipeline.training.batches import as_tensor

ARTEFACTS = Path("data/artefacts")
DETECTORS = Path("reports/artefact_detectors.json")

HELD_OUT = 0.5  # as many photographs again, of other patients, to set the thresholds and to measure
FALSE_ALARMS = 0.02  # of the photographs without the artefact
BATCH_SIZE = 128


class Params(StageParams):
    seed: int = Field(alias="seed")
    artefacts: ArtefactsParams = Field(alias="artefacts")
    precision: str = Field(alias="compute.precision")
    threads: int = Field(alias="compute.threads")


def main() -> None:
    params = read_params(Params)
    built: dict[str, Any] = {"kinds": list(params.artefacts.kinds)}
    with replaced_directory(ARTEFACTS) as directory:
        if params.artefacts.kinds:
            found = train(params, directory, built)
        else:
            found = {}
            write_json(directory / BUILT_WITH, built)
    write_json(DETECTORS, found)
    print(", ".join(f"{kind}: AUC {of_kind['auc']:.3f}" for kind, of_kind in found.items()) or "nothing is looked for")


def train(params: Params, directory: Path, built: dict[str, Any]) -> dict[str, dict[str, float]]:
    """Fills ``directory``. Returns: what ``measured`` does."""
    device, seed = take_device(params.threads), derive_seed(params.seed, "artefacts")
    size = params.artefacts.image_size
    counts = {"train": params.artefacts.photographs, "held out": round(HELD_OUT * params.artefacts.photographs)}
    with progress_bar("artefacts to learn from", sum(counts.values()), "images") as bar:
        learnt_from, held_out = (
            draw_examples(count, size, params.artefacts.kinds, derive_seed(seed, name), bar.update)
            for name, count in counts.items()
        )
    torch.manual_seed(seed)
    detector = ArtefactDetector(len(params.artefacts.kinds), params.artefacts.width).to(device)
    autocasting = partial(autocast, device, params.precision, cpu_gains=True)
    images, maps = (as_tensor(layer, device) for layer in learnt_from)
    with progress_bar("artefact detectors", params.artefacts.steps, "steps") as bar:
        train_detector(detector, images, maps, params.artefacts, autocasting, seed, bar.update)
    found = measured(detector, held_out, built["kinds"], device)
    built |= {"image_size": size, "width": params.artefacts.width}
    built |= {"thresholds": [of_kind["threshold"] for of_kind in found.values()]}
    save_model(directory, detector, built)
    return found


def measured(
    detector: ArtefactDetector, held_out: Examples, kinds: list[str], device: torch.device
) -> dict[str, dict[str, float]]:
    """Of each kind the AUC on photographs that the detector did not see, and at the threshold its sensitivity.

    Photographs with a trace of the artefact, too little to count as showing it, are left out.

    Raises:
        InputError: if no photograph shows one.
    """
    scores = detect(detector, as_tensor(held_out.images, device), BATCH_SIZE).double().numpy()
    shown = shows(as_tensor(held_out.maps, torch.device("cpu"))).numpy()
    none = held_out.maps.max(axis=(1, 2)) == 0
    for number, kind in enumerate(kinds):
        if not shown[:, number].any():
            raise InputError(f"none of {len(shown)} drawn photographs shows {kind}; raise artefacts.photographs")
    return {kind: _measured(scores[shown[:, k], k], scores[none[:, k], k]) for k, kind in enumerate(kinds)}


def _measured(showing: NDArray[np.float64], without: NDArray[np.float64]) -> dict[str, float]:
    threshold = float(np.quantile(without, 1 - FALSE_ALARMS))
    return {
        "auc": float(placements(showing, without).mean()),
        "threshold": threshold,
        "false_alarms": FALSE_ALARMS,
        "sensitivity": float(np.mean(showing > threshold)),
        "showing": len(showing),
        "without": len(without),
    }


if __name__ == "__main__":
    run_stage(main)
