"""How the time of the data stages and of the score grows with the number of images.

python -m benchmarks.growth [--counts 1000 10000 100000] [--folder DIR] [--picture growth.png]: the phantom's
photographs of 48 px, all of them kept, each stage once, as its own process, in a temporary folder under DIR. The
picture has the seconds that a core was busy, and beside each line what they would be if they grew as n log n from the
first count on.
"""

import argparse
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch
import yaml
from matplotlib.figure import Figure

from benchmarks.stages import ROOT, timed
from models.extractor import Extractor
from pipeline.checkpoints import save_model
from pipeline.images import ARRAY, open_images, rows_of
from pipeline.params.classes import TARGETS, ClassName
from pipeline.params.reader import read_tree
from pipeline.store import read_csv, write_csv, write_json

PHOTOGRAPH, PACKED, SYNTHETIC = 48, 32, 1000  # px, px, images
CLASS: ClassName = "malignant"
STAGES = (
    "read_source --set phantom",
    "ingest",
    "reduce",
    "prepare",
    "split",
    f"score_synthetic --class {CLASS} --seed 0",
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--counts", type=int, nargs="+", default=[1000, 10_000, 100_000])
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--picture", type=Path, default=Path("growth.png"))
    given = parser.parse_args()
    busy: dict[str, list[float]] = {stage.split()[0]: [] for stage in STAGES}
    for count in given.counts:
        with TemporaryDirectory(dir=given.folder) as name:
            for stage, seconds in measured(Path(name), count).items():
                busy[stage].append(seconds)
    draw(given.counts, busy).savefig(given.picture, dpi=150)


def measured(folder: Path, count: int) -> dict[str, float]:
    """Seconds that a core was busy, by stage; prints them with those that passed and the memory."""
    (folder / "params.yaml").write_text(yaml.safe_dump(params(count)))
    timed("phantom", folder)
    found = {}
    for stage in STAGES:
        if stage.startswith("score"):
            write_generated(folder)
        name = stage.split()[0]
        seconds, found[name], peak = timed(stage, folder)
        print(f"{count:9,d} {name:16s} {seconds:7.1f} s ({found[name]:.1f} s of a core) {peak:6,.0f} MB", flush=True)
    return found


def params(count: int) -> dict[str, object]:
    """The demo's, for so many photographs, without faults."""
    tree = read_tree(ROOT / "params.yaml")
    faults = dict.fromkeys(set(tree["phantom"]) - {"images", "shorter_side", "malignant", "skin"}, 0.0)
    tree["phantom"] |= {"images": count, "shorter_side": PHOTOGRAPH, **faults}
    tree["reduce"]["size"] = count
    for section, key in (("image", "size"), ("gan", "image_size"), ("classifier", "image_size")):
        tree[section][key] = PACKED
    return tree


def write_generated(folder: Path) -> None:
    """What the score reads besides the images: training images with noise as synthetic ones, an untrained extractor."""
    data = folder / "data"
    rng = np.random.default_rng(0)
    rows = rng.choice(rows_of(read_csv(data / "splits.csv"), "train", TARGETS[CLASS]), SYNTHETIC)
    images = open_images(data / "images")[rows].astype(float)
    synthetic, checkpoint = (data / part / CLASS / "0" for part in ("synthetic", "checkpoints/gan"))
    for directory in (synthetic, checkpoint, data / "features"):
        directory.mkdir(parents=True)
    np.save(synthetic / ARRAY, (images + rng.normal(0, 20, images.shape)).clip(0, 255).astype(np.uint8))
    write_csv(synthetic / "manifest.csv", read_csv(data / "splits.csv").head(SYNTHETIC).assign(copy=False))
    write_json(checkpoint / "model.json", {"variant": "noise", "parameters": 0, "chosen": {"kimg": 0}})
    torch.manual_seed(0)
    built = {"name": "untrained", "channels": 3, "width": 32, "image_size": PACKED}
    save_model(data / "features", Extractor(3, 32).eval(), built)


def draw(counts: list[int], busy: dict[str, list[float]]) -> Figure:
    figure = Figure(figsize=(7, 5), layout="constrained")
    axes = figure.subplots()
    images = np.array(counts, dtype=float)
    for stage, seconds in busy.items():
        (line,) = axes.loglog(images, seconds, marker="o", label=stage)
        steepest = seconds[0] * images * np.log(images) / (images[0] * np.log(images[0]))
        axes.loglog(images, steepest, color=line.get_color(), linestyle=":", linewidth=1)
    axes.set(xlabel="images", ylabel="seconds of a core", title="Dotted: n log n from the first count on")
    axes.legend()
    axes.grid(alpha=0.3)
    return figure


if __name__ == "__main__":
    main()
