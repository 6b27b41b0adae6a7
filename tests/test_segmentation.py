"""The segmentation graph: which pairs there are, that no patient is in two splits, training, scores, the page."""

import hashlib
import json
import shutil
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
import yaml
from PIL import Image

from models.segmenters import SEGMENTERS
from pipeline.errors import InputError
from pipeline.images import MASKS, open_images
from pipeline.metrics.auc_inference import mean_over_cases
from pipeline.metrics.segmentation import dice, patient_dice
from pipeline.params.reader import read_tree
from segmentation import check_params, evaluate, index, phantom, prepare, report, split, train_segmenter
from segmentation.held_out import HeldOut, found_masks, read_held_out
from segmentation.pairs import find_pairs
from segmentation.params import PARAMS, Architectures, SourceParams, mistakes
from segmentation.pretrained import read_pretrained
from tests.segmentation_pairs import PATIENTS, ROOT, SLICES, draw_scans, lay_pairs, write_params

FILES = [ROOT / PARAMS, *sorted((ROOT / "segmentation/recipes").glob("*.yaml"))]
PREDICTIONS = Path("data/segmentation/predictions/models")


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def packed(here: Path) -> dict[str, Any]:
    """The pairs up to their splits."""
    params = lay_pairs()
    for stage in (check_params, index, prepare, split):
        stage.main()
    return params


def source(**changes: Any) -> SourceParams:
    told = {"name": "scans", "folder": "scans", "table": None, "image": "{patient}_{slice}.tif"}
    told |= {"mask": "{patient}_{slice}_mask.png", "patient": "{patient}"}
    return SourceParams.model_validate(told | changes)


@pytest.mark.parametrize("file", FILES, ids=lambda path: path.stem)
def test_params_and_recipes_are_valid_and_have_the_same_sections(file: Path) -> None:
    assert mistakes(read_tree(file)) == []
    assert read_tree(file).keys() == read_tree(FILES[0]).keys()


def test_every_registered_architecture_has_settings() -> None:
    assert list(Architectures.model_fields) == list(SEGMENTERS)


@pytest.mark.parametrize(
    ("section", "key", "value", "sentence"),
    [
        ("image", "size", 48, "image size must be one of 32, 64, 128, 256, got 48"),
        ("train", "steps", 0, "train.steps should be greater than 0, got 0"),
        ("train", "stepz", 1, "train.stepz is not a known key"),
        ("architectures", "segnet", {}, "architectures.segnet is not a known key"),
        ("architectures", "fpn", None, "architectures.fpn is null; give its settings, or leave it out"),
        ("", "architectures", {}, "architectures has none; name at least one"),
        (
            "translator",
            "generator_features",
            2,
            "translator.generator_features should be greater",
        ),
        ("split", "train", 0.9, "split train + val + test must be 1, got 1.45"),
        ("schemes", "real", {"size": {"augment": "none", "repeated": 0.0}}, "schemes.real.size is called 'size'"),
        ("schemes", "synthetic", {"nfiles": {"augment": "none", "added": 1.0}}, "schemes.synthetic.nfiles is"),
        ("compute", "threads", 0, "compute.threads should be greater than or equal to 1, got 0"),
        ("", "losses", ["dice", "dice"], "losses repeats a value: ['dice', 'dice']; list each once"),
        ("", "losses", ["focal"], "losses.0 should be 'bce', 'bce_sampled', 'dice', 'dice_bce' or 'iou', got 'focal'"),
    ],
)
def test_a_mistake_is_one_line_with_the_value(section: str, key: str, value: Any, sentence: str) -> None:
    params = read_tree(FILES[0])
    (params[section] if section else params)[key] = value
    assert mistakes(params)[0].startswith(sentence)


def test_all_mistakes_come_at_once(here: Path) -> None:
    params = lay_pairs()
    params["train"] |= {"steps": 0, "batch_size": 1}
    write_params(params)
    with pytest.raises(InputError, match=r"has 2 mistakes:\n  train.steps .*\n  train.batch_size"):
        check_params.main()


def test_an_absent_folder_is_told_before_anything_runs(here: Path) -> None:
    lay_pairs()
    shutil.rmtree("data/raw/scans")
    with pytest.raises(InputError, match=r"source.folder is data/raw/scans, which is no folder; copy or link"):
        check_params.main()


def test_pairs_are_found_by_the_names_of_their_files(here: Path) -> None:
    draw_scans(Path("scans"))
    Path("scans/p00_0_mask.png").unlink()
    pairs, without_mask = find_pairs(source())
    assert (len(pairs), without_mask) == (PATIENTS * SLICES - 1, 1)
    assert pairs.iloc[0].tolist() == ["p00_1.tif", "p00_1_mask.png", "p00"]
    unknown, _ = find_pairs(source(patient=None))
    assert unknown["patient_id"].is_unique


def test_masks_beside_their_images_are_no_images(here: Path) -> None:
    """The layout of the LGG set: both are TIFFs in the patient's folder, whose name comes again in the file's."""
    for patient in ("TCGA_A", "TCGA_B"):
        Path("scans", patient).mkdir(parents=True)
        for name in ("1", "1_mask", "2", "2_mask"):
            Image.new("L", (40, 40)).save(f"scans/{patient}/{patient}_{name}.tif")
    Image.new("L", (40, 40)).save("scans/TCGA_A/TCGA_B_3.tif")
    name = "{patient}/{patient}_{slice}"
    pairs, without_mask = find_pairs(source(image=f"{name}.tif", mask=f"{name}_mask.tif"))
    assert (len(pairs), without_mask) == (4, 0)
    assert set(pairs["patient_id"]) == {"TCGA_A", "TCGA_B"}


def test_pairs_are_told_by_a_table(here: Path) -> None:
    draw_scans(Path("scans"))
    pd.DataFrame({"scan": ["p00_0", "p01_2"], "who": ["007", "NA"]}).to_csv("scans/table.csv")
    told = source(table="table.csv", image="{scan}.tif", mask="{scan}_mask.png", patient="{who}")
    pairs, _ = find_pairs(told)
    assert pairs.to_numpy().tolist() == [["p00_0.tif", "p00_0_mask.png", "007"], ["p01_2.tif", "p01_2_mask.png", "NA"]]


@pytest.mark.parametrize(
    ("rows", "changes", "sentence"),
    [
        (["p00_0"], {"patient": "{whose}"}, "has no column whose, which source names"),
        (["p00_0", "p00_0"], {}, "p00_0.tif comes 2 times in the table"),
        (["../p00_0"], {}, "may lie outside source.folder"),
        (["p99_0"], {}, "no mask named {scan}_mask.png for any"),
    ],
)
def test_a_table_that_cannot_be_read_is_one_line(
    rows: list[str], changes: dict[str, Any], sentence: str, here: Path
) -> None:
    draw_scans(Path("scans"))
    pd.DataFrame({"scan": rows}).to_csv("scans/table.csv")
    told = {"table": "table.csv", "image": "{scan}.tif", "mask": "{scan}_mask.png", "patient": None} | changes
    with pytest.raises(InputError, match=sentence):
        find_pairs(source(**told))


def test_a_name_that_the_image_has_not_is_refused() -> None:
    with pytest.raises(ValueError, match=r"mask has {plane}, which image .* has not"):
        source(mask="{plane}.png")


@pytest.mark.parametrize("recipe", ["brain_mri", "isic2017_masks"])
def test_recipes_find_every_pair_of_their_set(recipe: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    told = SourceParams.model_validate(read_tree(ROOT / f"segmentation/recipes/{recipe}.yaml")["source"])
    if not Path(told.folder).is_dir():
        pytest.skip(f"{recipe} is not linked under data/raw")
    pairs, without_mask = find_pairs(told)
    assert without_mask == 0
    assert len(pairs) == len(list(Path(told.folder, "masks").iterdir()))
    assert pairs["patient_id"].nunique() == {"brain_mri": 110, "isic2017_masks": len(pairs)}[recipe]


def test_packing_keeps_pairs_together_and_names_the_unreadable(here: Path) -> None:
    lay_pairs()
    Path("data/raw/scans/p03_1.tif").write_bytes(b"no image")
    Image.new("L", (40, 20)).save("data/raw/scans/p04_0_mask.png")
    params = read_tree(PARAMS)
    params["image"]["max_unreadable"] = 0.1
    write_params(params)
    for stage in (index, prepare):
        stage.main()
    manifest = pd.read_csv("data/segmentation/images/manifest.csv")
    assert len(manifest) == PATIENTS * SLICES - 2
    quarantined = pd.read_csv("data/segmentation/images/quarantine.csv").set_index("image_id")["reason"]
    assert quarantined["p03_1.tif"] == "not an image"
    assert quarantined["p04_0.tif"].startswith("mask of another shape")
    images, masks = open_images(Path("data/segmentation/images")), open_images(Path("data/segmentation/images"), MASKS)
    assert images.shape == (34, 32, 32, 3)
    for row in manifest.itertuples():
        assert (masks[row.row] > 0).mean() == pytest.approx(row.mask_share, abs=1e-4)
        if row.mask_share:  # what is drawn dark is what is marked
            assert images[row.row][masks[row.row] > 0].mean() < images[row.row][masks[row.row] == 0].mean() - 30
    params["image"]["max_unreadable"] = 0.01
    write_params(params)
    with pytest.raises(InputError, match=r"2 of 36 pairs \(5.6%\) cannot be read, and image.max_unreadable is 0.01"):
        prepare.main()


def test_no_patient_and_no_picture_is_in_two_splits(here: Path) -> None:
    lay_pairs()
    shutil.copy("data/raw/scans/p00_0.tif", "data/raw/scans/p07_0.tif")  # the same picture of another patient
    turned = Image.open("data/raw/scans/p01_0.tif").transpose(Image.Transpose.ROTATE_90)
    turned.save("data/raw/scans/p08_0.tif")
    for stage in (index, prepare, split):
        stage.main()
    splits = pd.read_csv("data/segmentation/splits.csv", dtype={"patient_id": str})
    assert len(splits) == PATIENTS * SLICES
    assert (splits.groupby("patient_id")["split"].nunique() == 1).all()
    of_patient = splits.drop_duplicates("patient_id").set_index("patient_id")
    assert of_patient.loc["p00", "group_id"] == of_patient.loc["p07", "group_id"]
    assert of_patient.loc["p01", "group_id"] == of_patient.loc["p08", "group_id"]
    assert splits["split"].value_counts()["train"] > splits["split"].value_counts()["val"]


def test_too_few_patients_are_one_line(here: Path) -> None:
    params = lay_pairs()
    for file in Path("data/raw/scans").glob("p0[2-9]*"):
        file.unlink()
    for stage in (index, prepare):
        stage.main()
    with pytest.raises(InputError, match=r"has [01] groups of patients .* of 4 in all"):
        split.main()
    assert params["split"]["val"] == 0.15


def test_an_empty_mask_stays_empty_and_the_scores_are_those_of_the_saved_masks(packed: dict[str, Any]) -> None:
    for architecture in packed["architectures"]:
        train_segmenter.main(architecture, "dice_bce", "0")
    packed["schemes"] |= {"real": {}, "synthetic": {}}
    write_params(packed)
    evaluate.main()
    draw_sample()
    test = read_held_out("test")
    found = found_masks(PREDICTIONS / "unet-dice_bce/0", test)
    assert found.shape == test.masks.shape
    assert (~test.masks.any(axis=(1, 2))).sum() == len(test.patients)
    written = json.loads(Path("reports/segmentation/models/unet-dice_bce.json").read_text())
    assert written["test_dice"] == pytest.approx(patient_dice(found, test.masks, test.patient).mean())
    assert written["test_slice_dice"] == pytest.approx(dice(found, test.masks).mean())
    assert written["test_dice_ci_low"] < written["test_dice"] < written["test_dice_ci_high"]
    assert written["train_pairs"] == (pd.read_csv("data/segmentation/splits.csv")["split"] == "train").sum()
    report.main()
    page = Path("reports/segmentation/report.html").read_text()
    assert page.count("data:image/png") == 3 * 4 + 1
    first = hashlib.sha256(page.encode()).hexdigest()
    report.main()
    assert hashlib.sha256(Path("reports/segmentation/report.html").read_bytes()).hexdigest() == first
    assert outside_links(page) == []


def draw_sample() -> None:
    """What the page shows of a generator."""
    Path("reports/segmentation/samples").mkdir()
    Image.new("RGB", (8, 4)).save("reports/segmentation/samples/0.png")


class Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.found += [value or "" for name, value in attributes if name in ("src", "href")]


def outside_links(page: str) -> list[str]:
    parser = Links()
    parser.feed(page)
    return [link for link in parser.found if not link.startswith(("#", "data:"))]


def test_training_twice_is_the_same_and_another_seed_is_not(packed: dict[str, Any]) -> None:
    weights = []
    for seed in ("0", "0", "1"):
        train_segmenter.main("unet", "bce_sampled", seed)
        weights.append(
            Path(f"data/segmentation/checkpoints/models/unet-bce_sampled/{seed}/model.safetensors").read_bytes()
        )
    assert weights[0] == weights[1]
    assert weights[0] != weights[2]


def test_a_resumed_training_ends_in_the_same_weights(packed: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    checkpoint = Path("data/segmentation/checkpoints/models/unet-bce_sampled/0")
    train_segmenter.main("unet", "bce_sampled", "0")
    whole = [path.read_bytes() for path in sorted(checkpoint.iterdir())]  # weights, their making and the curve
    shutil.rmtree("data/segmentation/checkpoints")
    from pipeline.training import segmenter

    step, done = segmenter.segmenter_step, []

    def killed(run: segmenter.SegmenterRun) -> torch.Tensor:
        done.append(run.step)
        if len(done) == 5:
            raise KeyboardInterrupt
        return step(run)

    monkeypatch.setattr(segmenter, "segmenter_step", killed)
    with pytest.raises(KeyboardInterrupt):
        train_segmenter.main("unet", "bce_sampled", "0")
    train_segmenter.main("unet", "bce_sampled", "0")
    assert done == [0, 1, 2, 3, 4, 3, 4, 5]
    assert [path.read_bytes() for path in sorted(checkpoint.iterdir())] == whole
    assert not list(Path(".checkpoints").iterdir())


def test_training_learns_what_is_drawn_dark(packed: dict[str, Any]) -> None:
    packed["train"] |= {"steps": 60, "evaluate_steps": 5, "learning_rate": 0.01}
    packed["architectures"]["unet"]["features"] = 4
    write_params(packed)
    train_segmenter.main("unet", "dice_bce", "0")
    curve = pd.read_csv("data/segmentation/checkpoints/models/unet-dice_bce/0/curve.csv")
    assert curve["loss"].iloc[-1] < 0.7 * curve["loss"].iloc[0]
    assert curve["val_dice"].max() > 0.7
    val = read_held_out("val")
    kept = found_masks(PREDICTIONS / "unet-dice_bce/0", val)
    assert patient_dice(kept, val.masks, val.patient).mean() == pytest.approx(curve["val_dice"].max())


def test_the_mean_over_patients_carries_patients_groups_and_seeds() -> None:
    """By hand: the variance of a mean of independent patients, and of seeds."""
    rng = np.random.default_rng(0)
    values, alone = rng.normal(0.8, 0.1, (1, 30)), np.arange(30)
    one = mean_over_cases(alone, values)
    assert one.value == pytest.approx(values.mean())
    assert one.standard_error == pytest.approx(values.std(ddof=1) / np.sqrt(30))
    assert one.degrees_of_freedom == 29
    pairs = mean_over_cases(alone // 2, np.repeat(values[:, :15], 2, axis=1))
    assert pairs.standard_error == pytest.approx(values[:, :15].std(ddof=1) / np.sqrt(15))
    shifted = np.concatenate([values, values + 0.1, values - 0.1])
    assert mean_over_cases(alone, shifted).standard_error ** 2 == pytest.approx(one.standard_error**2 + 0.1**2 / 3)


@pytest.mark.parametrize(
    ("slices", "kept"),
    [
        (6, {"Best": ["s5", "s3", "s1"], "Median": ["s5", "s3", "s1"], "Worst": ["s0", "s1", "s2", "s3"]}),
        (
            12,
            {"Best": ["s11", "s9", "s7", "s5"], "Median": ["s9", "s7", "s5", "s3"], "Worst": ["s0", "s1", "s2", "s3"]},
        ),
        (1, {"Best": [], "Median": [], "Worst": ["s0"]}),
    ],
)
def test_an_empty_mask_is_outlined_only_where_it_was_missed(slices: int, kept: dict[str, list[str]]) -> None:
    names = [f"s{number}" for number in range(slices)]
    masks = np.zeros((slices, 4, 4), dtype=np.uint8)
    masks[1::2, 1, 1] = 1
    dice_of = pd.Series(np.linspace(0, 1, slices), index=names).sample(frac=1, random_state=0)
    held_out = HeldOut("test", pd.DataFrame({"image_id": names}), masks)
    found = report.best_median_worst(dice_of, held_out)
    assert {kind: list(of_kind.index) for kind, of_kind in found.items()} == kept


def test_pretrained_weights_are_a_checked_file(here: Path) -> None:
    assert read_pretrained("none") is None
    with pytest.raises(InputError, match=r"weights is .mine.pth., which is no file; use none, imagenet or a path"):
        read_pretrained("mine.pth")
    torch.save({"conv1.weight": torch.zeros(1)}, "mine.pth")
    with pytest.raises(InputError, match="rename it mine-"):
        read_pretrained("mine.pth")
    digits = hashlib.sha256(Path("mine.pth").read_bytes()).hexdigest()[:8]
    Path("mine.pth").rename(f"mine-{digits}.pth")
    assert list(read_pretrained(f"mine-{digits}.pth")) == ["conv1.weight"]


def test_the_phantom_is_indexed_by_its_own_table(here: Path) -> None:
    params = read_tree(ROOT / PARAMS)
    params["phantom"] |= {"images": 60, "shorter_side": 40, "unreadable": 0.0}
    params["image"]["size"] = 32
    write_params(params)
    for stage in (check_params, phantom, index, prepare, split):
        stage.main()
    assert json.loads(Path("reports/segmentation/index.json").read_text())["pairs"] == 60
    assert yaml.safe_load(Path("reports/segmentation/prepare.json").read_text())["empty_masks"] == 0
