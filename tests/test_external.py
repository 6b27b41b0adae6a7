"""Images from elsewhere: read as any source, freed of what the run has seen, scored by every classifier."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml
from PIL import Image

from pipeline import external, train_classifier
from pipeline.errors import InputError

SEEN, NEW = 5, 30


@pytest.fixture
def elsewhere(experiment: Callable[..., dict[str, Any]]) -> dict[str, Any]:
    """Two schemes, and a set of new images, mirrored ones that the run has seen, one without a label, one broken."""
    params = experiment()
    params["classifier"] |= {"gan_schemes": {}, "seeds": [0, 1]}
    params["classifier"]["real_schemes"].pop("oversample")
    folder = Path("elsewhere")
    (folder / "images").mkdir(parents=True)
    rng = np.random.default_rng(3)
    seen = np.load("data/images/images.npy")[:SEEN]
    new = rng.integers(0, 256, (NEW, 32, 32, 3), dtype=np.uint8)
    for number, image in enumerate([*seen[:, :, ::-1], *new]):  # the seen ones mirrored
        Image.fromarray(image).save(folder / f"images/{number}.png")
    (folder / "images/broken.png").write_bytes(b"")
    count = SEEN + NEW
    rows = pd.DataFrame({"picture": [*map(str, range(count)), "unknown", "broken"]})
    rows["outcome"] = [*np.where(np.arange(count) % 3 == 0, "melanoma", "nevus"), "", "nevus"]
    rows["patient"] = [f"P{number // 2}" for number in range(count)] + ["X", "Y"]
    rows["file"] = rows["picture"] + ".png"
    rows.to_csv(folder / "table.csv", index=False)
    columns = {"image_id": "picture", "label": "outcome", "patient_id": "patient", "file": "file"}
    given = {"metadata": "elsewhere/table.csv", "images": "elsewhere/images", "columns": columns}
    params["image"]["max_unreadable"] = 0.1
    params["external"]["sets"] = {"abroad": given | {"labels": {"nevus": "benign", "melanoma": "malignant"}}}
    Path("params.yaml").write_text(yaml.safe_dump(params))
    for scheme in params["classifier"]["real_schemes"]:
        for seed in "01":
            train_classifier.main(scheme, seed)
    return params


def test_a_set_is_scored_without_what_the_run_has_seen(elsewhere: dict[str, Any]) -> None:
    external.main("abroad")
    report = json.loads((external.REPORTS / "external_abroad.json").read_text())
    assert report["records"] == SEEN + NEW + 2
    assert report["dropped"] == {"unlabelled": 1}
    assert report["quarantined"] == 1
    assert report["copies"] == SEEN
    assert report["images"] == NEW
    assert report["groups"] == 16  # the first patient's second image is new
    assert set(report["schemes"]) == {"baseline", "classic"}
    assert report["schemes"]["classic"]["auc_gain_over_classic"] == 0
    for scheme in report["schemes"].values():
        assert 0 <= scheme["auc_ci_low"] <= scheme["auc"] <= scheme["auc_ci_high"] <= 1


def test_labels_are_those_of_the_set(elsewhere: dict[str, Any]) -> None:
    """Turned over, they turn every AUC over."""
    external.main("abroad")
    path = external.REPORTS / "external_abroad.json"
    before = json.loads(path.read_text())["schemes"]["classic"]["auc"]
    elsewhere["external"]["sets"]["abroad"]["labels"] = {"nevus": "malignant", "melanoma": "benign"}
    Path("params.yaml").write_text(yaml.safe_dump(elsewhere))
    external.main("abroad")
    assert json.loads(path.read_text())["schemes"]["classic"]["auc"] == pytest.approx(1 - before)


def test_a_mistake_names_the_set(elsewhere: dict[str, Any]) -> None:
    elsewhere["external"]["sets"]["abroad"]["images"] = "nowhere"
    Path("params.yaml").write_text(yaml.safe_dump(elsewhere))
    with pytest.raises(InputError, match=r"^external\.sets\.abroad\.images is nowhere"):
        external.main("abroad")
    assert not external.REPORTS.exists()
