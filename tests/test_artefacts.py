"""Detectors of hair, rulers and ink, from their lessons to the rates in real and in synthetic images."""

import json
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from PIL import Image
from scipy import stats

from models.artefact_detector import ArtefactDetector
from pipeline import find_artefacts, train_artefacts
from pipeline.artefact_examples import draw_examples
from pipeline.compute import autocast
from pipeline.errors import InputError
from pipeline.metrics.rates import Count, rate_ratio
from pipeline.params.artefacts import ArtefactsParams
from pipeline.reporting.artefacts import Rate, changed
from pipeline.reporting.audit import artefacts_as_frequent
from pipeline.training.artefacts import shows, train_detector
from pipeline.training.batches import as_tensor

KINDS = ["hair", "ruler", "ink", "plaster", "frame"]
CPU = torch.device("cpu")


def test_maps_lie_on_the_pictures() -> None:
    """Ink is violet where its map says, and the picture is dark where the frame's does."""
    examples = draw_examples(150, 32, ["ink", "frame"], 0, lambda count: None)
    assert examples.images.shape == (150, 32, 32, 3)
    assert examples.maps.shape == (150, 32, 32, 2)
    ink, frame = (examples.maps[..., k] > 200 for k in range(2))
    pictures = examples.images.astype(float)
    violet = pictures[..., 2] - pictures[..., 1]
    assert ink.any()
    assert violet[ink].mean() > violet[~ink].mean() + 15
    assert pictures[frame].mean() < 0.3 * pictures[~frame].mean()
    again = draw_examples(150, 32, ["ink", "frame"], 0, lambda count: None)
    assert np.array_equal(examples.images, again.images)
    assert not np.array_equal(examples.images, draw_examples(150, 32, ["ink", "frame"], 1, lambda count: None).images)


def test_every_parameter_of_the_detector_learns() -> None:
    detector = ArtefactDetector(5, 4)
    logits = detector(torch.rand(2, 3, 32, 24))
    assert logits.shape == (2, 5, 32, 24)
    logits.square().sum().backward()
    assert all(parameter.grad is not None and parameter.grad.any() for parameter in detector.parameters())


def test_a_detector_learns_what_its_maps_say() -> None:
    """Squares of two colours on noise: each has its own map."""
    rng = np.random.default_rng(0)
    images = rng.integers(90, 160, (120, 32, 32, 3)).astype(np.uint8)
    maps = np.zeros((120, 32, 32, 2), np.uint8)
    for number in range(120):
        for kind in range(2):
            if rng.random() < 0.3:
                top, left = rng.integers(0, 26, 2)
                images[number, top : top + 6, left : left + 6] = [220, 40, 40] if kind else [40, 40, 220]
                maps[number, top : top + 6, left : left + 6, kind] = 255
    params = ArtefactsParams(
        kinds=["hair", "ink"], image_size=32, photographs=100, width=4, steps=60, batch_size=8, learning_rate=0.02
    )
    torch.manual_seed(0)
    detector = ArtefactDetector(2, 4)
    steps: list[int] = []
    parts = (as_tensor(layer, CPU) for layer in (images[:80], maps[:80]))
    train_detector(detector, *parts, params, partial(autocast, CPU, "fp32", cpu_gains=True), 0, steps.append)
    assert sum(steps) == 60
    held_out = train_artefacts.Examples(images[80:], maps[80:])
    found = train_artefacts.measured(detector, held_out, ["hair", "ink"], CPU)
    assert all(of_kind["auc"] > 0.97 for of_kind in found.values())
    swapped = train_artefacts.Examples(images[80:], maps[80:, ..., ::-1])
    assert all(
        of_kind["auc"] < 0.7 for of_kind in train_artefacts.measured(detector, swapped, ["hair", "ink"], CPU).values()
    )


def test_a_trace_does_not_show() -> None:
    maps = torch.zeros(3, 1, 100, 100, dtype=torch.uint8)
    maps[1, 0, 0, :29] = 255
    maps[2, 0, 0, :31] = 255
    assert shows(maps).squeeze().tolist() == [False, False, True]


def test_the_ratio_of_rates() -> None:
    same = rate_ratio(Count(20, 200), Count(40, 400), 0.95)
    assert same.value == pytest.approx(1, rel=0.02)
    assert same.low < 1 < same.high
    twice = rate_ratio(Count(180, 900), Count(40, 400), 0.95)
    assert twice.value == pytest.approx(2, rel=0.02)
    assert twice.low > 1
    none = rate_ratio(Count(0, 100), Count(0, 100), 0.95)
    assert none.value == 1
    assert none.low < 0.1
    assert none.high > 10


def test_the_interval_of_the_ratio_covers() -> None:
    rng = np.random.default_rng(0)
    pairs = zip(rng.binomial(900, 0.1, 2000), rng.binomial(300, 0.05, 2000), strict=True)
    ratios = [rate_ratio(Count(int(one), 900), Count(int(other), 300), 0.95) for one, other in pairs]
    covered = sum(ratio.low <= 2 <= ratio.high for ratio in ratios)
    assert stats.binomtest(covered, 2000, 0.95).pvalue > 1e-4


def prepare(smoke: dict, count: int = 60) -> None:
    """The smoke run's detectors, untrained, and synthetic images with the real ones' look."""
    Path("params.yaml").write_text(yaml.safe_dump(smoke))
    train_artefacts.main()
    rng = np.random.default_rng(1)
    for name in ("benign", "malignant"):
        directory = Path(f"data/synthetic/{name}/0")
        directory.mkdir(parents=True)
        np.save(directory / "images.npy", rng.integers(0, 256, (count, 32, 32, 3), dtype=np.uint8))


def test_the_stages_write_what_the_report_reads(experiment) -> None:
    params = experiment()
    prepare(params)
    detectors = json.loads(train_artefacts.DETECTORS.read_text())
    assert list(detectors) == sorted(KINDS)
    assert detectors["hair"]["showing"] + detectors["hair"]["without"] <= 200
    find_artefacts.main()
    rows = json.loads((find_artefacts.FOUND / "rates.json").read_text())
    assert [(row["class"], row["kind"]) for row in rows] == [
        (name, kind) for name in ("benign", "malignant") for kind in KINDS
    ]
    assert all(row["synthetic_images"] == 60 for row in rows)
    assert [row["real_images"] for row in rows[::5]] == [20, 10]  # of train
    for kind in KINDS:
        with Image.open(find_artefacts.FOUND / f"{kind}.png") as picture:
            assert picture.size == (8 * 32, 2 * 32)


def test_a_kind_that_no_photograph_shows_is_said(experiment) -> None:
    params = experiment()
    params["artefacts"] |= {"photographs": 100, "kinds": ["plaster"]}
    params["seed"] = 3
    with pytest.raises(InputError, match=r"none of 50 drawn photographs shows plaster; raise artefacts.photographs"):
        prepare(params)


def test_nothing_is_looked_for_where_there_is_no_skin(experiment) -> None:
    params = experiment()
    params["artefacts"]["kinds"] = []
    prepare(params)
    find_artefacts.main()
    assert json.loads(train_artefacts.DETECTORS.read_text()) == {}
    assert [path.name for path in find_artefacts.FOUND.iterdir()] == ["rates.json"]


def test_a_frame_twice_as_frequent_is_found(experiment) -> None:
    """A fifth of the real photographs have a black frame; as many malignant synthetic ones, then twice as many."""
    params = experiment(images=1200)
    params["artefacts"] |= {"kinds": ["frame"], "steps": 120}
    prepare(params)
    images, maps = draw_examples(2000, 32, ["frame"], 7, lambda count: None)
    has = shows(as_tensor(maps, CPU)).numpy()[:, 0]
    pools = {True: list(images[has]), False: list(images[~has])}

    def drawn(count: int, rate: float) -> np.ndarray:
        return np.stack([pools[number < rate * count].pop() for number in range(count)])

    def rates(of_malignant: float) -> tuple[Rate, Rate]:
        np.save("data/synthetic/malignant/0/images.npy", drawn(300, of_malignant))
        find_artefacts.main()
        benign, malignant = json.loads((find_artefacts.FOUND / "rates.json").read_text())
        return benign, malignant

    packed, target = np.load("data/images/images.npy"), np.arange(1200) % 3 == 0
    for of_class in (target, ~target):
        rows = np.flatnonzero(of_class[:600])
        packed[rows] = drawn(len(rows), 0.2)
    np.save("data/images/images.npy", packed)
    np.save("data/synthetic/benign/0/images.npy", drawn(300, 0.2))
    honest = rates(0.2)
    assert all(rate["ratio_ci_low"] < 1 < rate["ratio_ci_high"] for rate in honest)
    assert not artefacts_as_frequent(honest).alarm
    benign, malignant = rates(0.4)
    assert not changed(benign)
    assert changed(malignant)
    assert artefacts_as_frequent((benign, malignant)).alarm
    assert artefacts_as_frequent(rates(0.05)).alarm  # a quarter of them is told from the label too
