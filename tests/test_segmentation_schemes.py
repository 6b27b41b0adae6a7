"""Synthetic pairs: masks that stay masks, a translator that sees the training split alone, schemes, and the verdict."""

import csv
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

from models.pair_augment import deform, standard
from pipeline.checkpoints import read_built_with
from pipeline.errors import InputError
from pipeline.images import MASKS, open_images
from pipeline.metrics.auc_inference import holm
from segmentation import (
    evaluate,
    index,
    predict,
    prepare,
    report,
    split,
    synthesize_pairs,
    train_scheme,
    train_scheme_synthetic,
    train_segmenter,
    train_translator,
)
from segmentation.packed import Pairs, pairs_of, read_splits
from segmentation.params import SynthesizeParams, mistakes
from segmentation.translating import read_translator
from segmentation.verdict import compare
from segmentation.words import gain_cell, verdict_sentence
from tests.segmentation_pairs import lay_pairs, write_params

SYNTHETIC = Path("data/segmentation/synthetic/0")
TRANSLATOR = Path("data/segmentation/checkpoints/translators/0")


@pytest.fixture
def packed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The pairs up to their splits, and params of a small translator."""
    monkeypatch.chdir(tmp_path)
    params = lay_pairs()
    params["translator"] |= {"kimg": 0.04, "batch_size": 4, "log_kimg": 0.02}
    params["translator"] |= {"generator_features": 4, "discriminator_features": 4}
    params["synthesize"] |= {"count": 24, "copy_likeness": 1.0}
    params["schemes"] |= {"seeds": [0, 1]}
    write_params(params)
    for stage in (index, prepare, split):
        stage.main()
    return params


def picture(path: str) -> Image.Image:
    with Image.open(path) as image:
        return image.copy()


def discs(count: int = 4) -> torch.Tensor:
    rows, columns = torch.meshgrid(torch.arange(32), torch.arange(32), indexing="ij")
    return ((rows - 16) ** 2 + (columns - 14) ** 2 < 64).float().repeat(count, 1, 1)


def test_augmentation_moves_image_and_mask_together() -> None:
    masks = discs(32)
    images = (masks[:, None] * 0.8 - 0.4).repeat(1, 3, 1, 1)
    moved, marked = standard(images, masks, torch.Generator().manual_seed(0))
    assert set(marked.unique().tolist()) == {0.0, 1.0}
    assert not torch.equal(marked, masks)
    bright = moved.mean(dim=1) > moved.mean(dim=(1, 2, 3))[:, None, None]
    assert (bright == (marked > 0)).float().mean() > 0.97


def test_deformed_masks_are_masks_of_about_the_old_size() -> None:
    masks = discs(64)
    changed = deform(masks, torch.Generator().manual_seed(0), 0.04)
    assert changed.shape == masks.shape
    assert set(changed.unique().tolist()) == {0.0, 1.0}
    areas = changed.sum(dim=(1, 2)) / masks.sum(dim=(1, 2))
    assert 0.8 < areas.mean() < 1.2
    assert len({mask.numpy().tobytes() for mask in changed}) == 64
    still = deform(masks, torch.Generator().manual_seed(0), 0.0)
    assert torch.equal(still.sum(dim=(1, 2)), masks.sum(dim=(1, 2)))  # turned only
    assert deform(torch.zeros(2, 32, 32), torch.Generator().manual_seed(0), 0.1).sum() == 0


def test_the_translator_sees_the_training_split_alone(packed: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    given = []
    start = train_translator.TranslatorRun
    monkeypatch.setattr(
        train_translator, "TranslatorRun", lambda variant, told: given.append(told) or start(variant, told)
    )
    train_translator.main("0")
    training, rows = pairs_of(read_splits(), "train")
    assert set(rows["split"]) == {"train"}
    assert np.array_equal(given[0].images.permute(0, 2, 3, 1).numpy(), training.images)
    assert np.array_equal(given[0].told[:, 0].numpy(), training.masks)
    assert read_built_with(TRANSLATOR)["train_pairs"] == len(rows)
    curve = pd.read_csv(TRANSLATOR / "curve.csv")
    assert curve["kimg"].tolist() == [0.02, 0.04]


def test_a_resumed_translator_ends_in_the_same_weights(packed: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    train_translator.main("0")
    whole = (TRANSLATOR / "model.safetensors").read_bytes()
    step, done = train_translator.TranslatorRun.step, []

    def killed(run: Any) -> Any:
        done.append(run.images_seen)
        if len(done) == 8:
            raise KeyboardInterrupt
        return step(run)

    monkeypatch.setattr(train_translator.TranslatorRun, "step", killed)
    with pytest.raises(KeyboardInterrupt):
        train_translator.main("0")
    train_translator.main("0")
    assert done[7:9] == [28, 20]
    assert (TRANSLATOR / "model.safetensors").read_bytes() == whole


def test_a_translator_that_diverges_stops_and_names_the_term() -> None:
    with pytest.raises(InputError, match=r"generator_loss_l1 became nan by 0\.5 kimg; lower translator's"):
        train_translator.refuse_divergence({"kimg": 0.5, "generator_loss_l1": float("nan")})


def test_synthetic_pairs_are_masks_with_images_drawn_for_them(packed: dict[str, Any]) -> None:
    train_translator.main("0")
    synthesize_pairs.main("0")
    images, masks = open_images(SYNTHETIC), open_images(SYNTHETIC, MASKS)
    assert (images.shape, masks.shape) == ((24, 32, 32, 3), (24, 32, 32))
    assert set(np.unique(masks)) == {0, 255}
    names = set(pairs_of(read_splits(), "train")[1]["image_id"])
    manifest = pd.read_csv(SYNTHETIC / "manifest.csv")
    assert set(manifest["mask_of"]) | set(manifest["nearest"]) <= names
    first = images.tobytes()
    synthesize_pairs.main("0")
    assert open_images(SYNTHETIC).tobytes() == first
    assert picture("reports/segmentation/samples/0.png").size == (8 * 32, 4 * 32)


def test_copies_of_training_images_are_dropped(packed: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    train_translator.main("0")
    translator = read_translator(TRANSLATOR)
    training, _ = pairs_of(read_splits(), "train")
    drawn = synthesize_pairs.drawn_for

    def half_copied(of: Any, masks: torch.Tensor, rng: torch.Generator) -> Pairs:
        pairs = drawn(of, masks, rng)
        pairs.images[::2] = training.images[0]
        return pairs

    monkeypatch.setattr(synthesize_pairs, "drawn_for", half_copied)
    params = SynthesizeParams(count=12, deformation=0.04, copy_likeness=0.9)
    pairs, manifest = synthesize_pairs.draw_pairs(translator, training, params, torch.Generator().manual_seed(0))
    assert len(pairs.images) == 12
    assert manifest["copy"][::2].all()
    assert not any(np.array_equal(image, training.images[0]) for image in pairs.images)
    monkeypatch.setattr(synthesize_pairs, "MAX_DRAWS", 1)
    with pytest.raises(InputError, match=r"fewer than synthesize.count 12 stay below synthesize.copy_likeness 0\.9"):
        synthesize_pairs.draw_pairs(translator, training, params, torch.Generator().manual_seed(0))


def test_schemes_differ_in_what_is_added_only(packed: dict[str, Any]) -> None:
    train_translator.main("0")
    synthesize_pairs.main("0")
    for seed in ("0", "1"):
        for scheme in packed["schemes"]["real"]:
            train_scheme.main(scheme, seed)
        train_scheme_synthetic.main("synthetic", seed)
    built = {
        scheme: read_built_with(Path("data/segmentation/checkpoints/schemes", scheme, "0"))
        for scheme in ("real", "classic", "placebo", "synthetic")
    }
    count = len(pairs_of(read_splits(), "train")[1])
    assert {scheme: facts["train_pairs"] for scheme, facts in built.items()} == {
        "real": count,
        "classic": count,
        "placebo": 2 * count,
        "synthetic": 2 * count,
    }
    assert len({facts["optimizer_steps"] for facts in built.values()}) == 1
    assert {scheme: facts["augment"] for scheme, facts in built.items()} == {
        "real": "none",
        "classic": "standard",
        "placebo": "standard",
        "synthetic": "standard",
    }
    for architecture in packed["architectures"]:
        train_segmenter.main(architecture, "dice_bce", "0")
    evaluate.main()
    found = json.loads(Path("reports/segmentation/schemes/synthetic.json").read_text())
    assert found["generators"] == 1
    assert found["verdict"] in ("helps", "harms", "no detectable effect")
    assert found["dice_gain_ci_low"] <= found["dice_gain"] <= found["dice_gain_ci_high"]
    reference = json.loads(Path("reports/segmentation/schemes/classic.json").read_text())
    assert found["dice_gain_over_classic"] == pytest.approx(found["test_dice"] - reference["test_dice"])
    assert reference["verdict"] == "reference"
    report.main()
    assert "synthetic pairs" in Path("reports/segmentation/report.html").read_text().lower()


def test_too_few_synthetic_pairs_are_one_line(packed: dict[str, Any]) -> None:
    packed["schemes"]["synthetic"]["synthetic"]["added"] = 5.0
    write_params(packed)
    train_translator.main("0")
    synthesize_pairs.main("0")
    with pytest.raises(InputError, match=r"added is 5, which is \d+ pairs, .* has 24; raise synthesize.count"):
        train_scheme_synthetic.main("synthetic", "0")


def test_impossible_schemes_are_told_at_once(packed: dict[str, Any]) -> None:
    packed["schemes"] |= {"architecture": "unet_resnext"}
    packed["schemes"]["synthetic"]["synthetic"]["augment"] = "none"
    packed["schemes"]["synthetic"]["real"] = {"augment": "standard", "added": 1.0}
    lines = mistakes(packed)
    assert lines[0].startswith("schemes.architecture is unet_resnext, which architectures has not")
    assert lines[1].startswith("schemes.synthetic.synthetic.augment is none; it must be that of classic")
    assert lines[2].startswith("schemes.real and schemes.synthetic both have real")


def planted(gain: float, patients: int = 60) -> dict[str, np.ndarray]:
    """Dice of patients under every scheme, (3, P); the synthetic scheme gains so much."""
    rng = np.random.default_rng(0)
    level = rng.normal(0.8, 0.05, patients)
    noise = {name: rng.normal(0, 0.01, (3, patients)) for name in ("real", "classic", "placebo", "synthetic", "idle")}
    shifts = {"real": -0.03, "classic": 0.0, "placebo": 0.0, "synthetic": gain, "idle": 0.0}
    return {name: level + shifts[name] + noise[name] for name in noise}


@pytest.mark.parametrize(("gain", "verdict"), [(0.03, "helps"), (-0.03, "harms"), (0.0, "no detectable effect")])
def test_a_planted_gain_is_found(gain: float, verdict: str) -> None:
    group, generator = np.arange(60), np.zeros(3, dtype=np.int64)
    reports = compare(planted(gain), ["synthetic", "idle"], group, generator, 0.95)
    assert reports["synthetic"]["verdict"] == verdict
    assert reports["idle"]["verdict"] == "no detectable effect"
    assert reports["synthetic"]["dice_gain_over_classic"] == pytest.approx(gain, abs=0.005)
    assert reports["placebo"]["verdict"] == "reference"
    raw = {name: reports[name]["dice_gain_over_classic_p"] for name in ("synthetic", "idle")}
    if gain < 0:
        assert reports["synthetic"]["p_holm"] == pytest.approx(holm({**raw, "idle": 1.0})["synthetic"])
    assert 0 < reports["synthetic"]["detectable_gain"] < 0.02


def test_without_its_rivals_a_scheme_is_not_judged() -> None:
    values = planted(0.03)
    del values["placebo"]
    reports = compare(values, ["synthetic"], np.arange(60), np.zeros(3, dtype=np.int64), 0.95)
    assert reports["synthetic"]["verdict"] == "not tested"
    assert reports["synthetic"]["dice_gain_over_placebo"] is None
    assert gain_cell(reports["synthetic"], "dice_gain_over_placebo") == "–"  # noqa: RUF001
    assert "could not be tested" in verdict_sentence({"synthetic": reports["synthetic"]})


def test_the_verdict_names_schemes_generators_and_what_could_be_found() -> None:
    found = {"verdict": "no detectable effect", "generators": 1, "detectable_gain": 0.0123}
    sentence = verdict_sentence({"synthetic": found, "more": found | {"verdict": "helps", "detectable_gain": 0.02}})
    assert sentence.startswith("Synthetic pairs helped in more, which beat both")
    assert (
        "had no detectable effect in synthetic: this verdict is about these pairs, this split and this one" in sentence
    )
    assert sentence.endswith("found 19 times in 20 is 0.012 (synthetic) and 0.020 (more).")


@pytest.mark.parametrize("fit", ["crop", "squash"])
def test_masks_of_new_images_are_as_large_as_they(fit: str, packed: dict[str, Any], capsys: Any) -> None:
    packed["image"]["fit"] = fit
    write_params(packed)
    for stage in (prepare, split):
        stage.main()
    train_segmenter.main("unet", "dice_bce", "0")
    Image.new("RGB", (90, 60), "white").save("wide.jpg")
    turned = Image.new("RGB", (90, 60), "white")
    exif = turned.getexif()
    exif[0x0112] = 6
    turned.save("turned.jpg", exif=exif)
    Path("text.png").write_text("no image")
    capsys.readouterr()
    refused = predict.predict_files(
        Path("data/segmentation/checkpoints/models/unet-dice_bce/0"),
        [Path("wide.jpg"), Path("turned.jpg"), Path("text.png")],
        Path("out"),
    )
    assert refused == [Path("text.png")]
    printed = capsys.readouterr()
    assert printed.err == "predict: text.png: not an image\n"
    rows = list(csv.DictReader(printed.out.splitlines()))
    mask = np.asarray(picture("out/wide_mask.png"))
    assert mask.shape == (60, 90)
    assert set(np.unique(mask)) <= {0, 255}
    assert float(rows[0]["mask_share"]) == pytest.approx((mask > 0).mean(), abs=1e-4)
    assert picture("out/turned_mask.png").size == (60, 90)
    assert picture("out/wide_overlay.png").size == (60, 60)
    if fit == "crop":
        assert not mask[:, :15].any()
        assert not mask[:, 75:].any()


def test_a_mask_lies_where_the_network_saw_it() -> None:
    logits = torch.full((32, 32), -5.0)
    logits[:16, :16] = 5.0
    mask = predict.placed(logits, (90, 60), "crop")
    assert mask[5, 20]
    assert not mask[5, 50]
    assert not mask[40, 20]
    assert not mask[5, 10]
    assert predict.placed(logits, (90, 60), "squash")[5, 40]


def test_a_folder_without_a_segmenter_and_equal_names_are_one_line(
    packed: dict[str, Any], monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    train_translator.main("0")
    Image.new("RGB", (9, 9)).save("one.png")
    monkeypatch.setattr(sys, "argv", ["predict", "--checkpoint", str(TRANSLATOR), "one.png"])
    with pytest.raises(SystemExit, match="has no architecture, so it is no segmenter's; give data/segmentation"):
        predict.main()
    with pytest.raises(InputError, match="2 files are named one, and their masks would be one file"):
        predict.predict_files(TRANSLATOR, [Path("one.png"), Path("a/one.jpg")], Path("out"))
