"""The report stage: what it says, that it stands alone, and that it is the same twice."""

import base64
import io
import json
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from PIL import Image

from pipeline import report
from pipeline.errors import InputError
from pipeline.lookalikes import similar_pairs
from pipeline.params.reader import read_tree
from pipeline.perceptual_hash import perceptual_hash
from pipeline.reporting import dataset, figures, intervals, pairs, pictures, text, training

ENDS = ("_ci_low", "_ci_high")
GAN_SCHEMES = ("gan_balanced", "gan_plus_10")
ROOT = Path(__file__).parents[1]
RNG = np.random.default_rng(0)
PAIR_COLUMNS = ["first", "second", "first_row", "second_row", "kind", "distance", "correlation", "turn"]
PAIR_COLUMNS += ["first_target", "second_target"]
FIVE = {"psnr": 12.3, "ssim": 0.31, "ms_gmsd": 0.25, "mdsi": 0.47, "haarpsi": 0.39}


def scheme_report(verdict="reference", gain=0.02, detectable=None):
    content = {"auc": 0.8, "auc_ci_low": 0.75, "auc_ci_high": 0.85, "auc_std": 0.01, "p_holm": None, "verdict": verdict}
    content |= {"detectable_gain": detectable, "intervals_carry_seed_error": True, "auc_per_seed": [0.79, 0.81]}
    for key in intervals.GAINS:
        content |= {key: gain, f"{key}_ci_low": gain - 0.01, f"{key}_ci_high": gain + 0.01}
        content |= {f"{key}_p": 0.012, f"{key}_p_delong": 0.003}
    calibration = [f"{name}{suffix}" for name in ("brier", "ece", "adaptive_ece") for suffix in ("", "_at_temperature")]
    parts = [f"brier_{part}" for part in ("miscalibration", "discrimination", "uncertainty")]
    scores = ("average_precision", "pauc_tpr80", "sensitivity_at_90_specificity", "specificity_at_90_sensitivity")
    content |= dict.fromkeys((*scores, "balanced_accuracy", "mcc", "temperature", *calibration, *parts), 0.123)
    fall = {f"auc_fall_from_val{end}": value for end, value in (("", 0.01), (ENDS[0], -0.05), (ENDS[1], 0.07))}
    content |= fall | {"thresholds_from_val": True, "seeds": [0, 1, 2]}
    content |= {"test_images": 4321, "test_malignant": 876, "test_groups": 2109}
    generators = 0 if verdict == "reference" else 1
    return content | {"generators": generators, "train_images": 40, "synthetic_images": 3, "optimizer_steps": 150}


def write(path, content):
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_text(content if isinstance(content, str) else json.dumps(content))


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A working directory with everything that the stage reads, in small."""
    monkeypatch.chdir(tmp_path)
    write_everything()
    return tmp_path


@pytest.fixture
def undrawn(monkeypatch):
    """What is said, in a tenth of the time."""
    for module in (figures, training):
        monkeypatch.setattr(module, "draw", lambda height, paint: "data:image/svg+xml;base64,")


@pytest.fixture(scope="module")
def standard(tmp_path_factory):
    """The page and the model card of such a directory."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("standard"))
        write_everything()
        return page(), report.MODEL_CARD.read_text(), report.REPORT.read_text()


def write_everything():
    write("params.yaml", yaml.safe_dump(read_tree(ROOT / "params.yaml")))
    for scheme in ("baseline", "classic", "oversample"):
        write(f"reports/classifier/{scheme}.json", scheme_report())
    write("reports/classifier/gan_balanced.json", scheme_report("harms", -0.05, 0.041))
    write("reports/classifier/gan_plus_10.json", scheme_report("no detectable effect", 0.01, 0.027))
    curve = "series,{},{}\nbaseline,0,0\nbaseline,1,1\nclassic,0,1\n"
    write("reports/plots/roc.csv", curve.format("false_positive_rate", "true_positive_rate"))
    write("reports/plots/pr.csv", curve.format("recall", "precision"))
    bins = "series,mean_probability,malignant_share,predictions\nbaseline,0,0,30\nbaseline,1,1,29\n"
    write("reports/plots/calibration.csv", bins)
    write_counts()
    write_images()
    for class_name in ("benign", "malignant"):
        write_generator(class_name)
    write("reports/features.json", validation())
    write("reports/subgroups.json", [part("sex", "female"), part("sex", "male", few=True), part("source", "<archive>")])
    write("reports/controls/metadata.json", {"metadata": control(0.52), "source": control(0.5)})
    for view, auc in (("border_only", 0.55), ("lesion_hidden", 0.7)):
        write(f"reports/controls/{view}.json", control(auc))
        Image.new("RGB", (64, 16)).save(f"reports/controls/{view}.png")
    schemes = {"classic": {"auc": 0.7, "auc_ci_low": 0.6, "auc_ci_high": 0.8}}
    schemes["classic"] |= dict.fromkeys((f"auc_gain_over_classic{end}" for end in ("", *ENDS)), 0.0)
    schemes["gan_balanced"] = schemes["classic"] | {f"auc_gain_over_classic{end}": -0.02 for end in ("", *ENDS)}
    counts = {"records": 700, "dropped": {"unlabelled": 20}, "quarantined": 3, "copies": 7, "images": 670}
    write("reports/controls/external_dark_skin.json", counts | {"malignant": 160, "groups": 333, "schemes": schemes})
    kinds = ("hair", "ruler", "ink", "plaster", "frame")
    measured = {"auc": 0.987, "sensitivity": 0.9, "false_alarms": 0.02, "showing": 432, "without": 810}
    write("reports/artefact_detectors.json", dict.fromkeys(kinds, measured))
    write("reports/artefacts/rates.json", [rate("benign", "hair"), rate("malignant", "ink", ratio=2.1)])
    for kind in kinds:
        Image.new("RGB", (64, 16)).save(f"reports/artefacts/{kind}.png")
    for scheme in ("baseline", "classic", "oversample", *GAN_SCHEMES):
        for seed in range(3):
            write_classifier(scheme, seed)


def rate(class_name, kind, ratio=0.9):
    counts = {"real_found": 10, "real_images": 1234, "synthetic_found": 8, "synthetic_images": 900}
    interval = {"ratio": ratio, "ratio_ci_low": ratio - 0.5, "ratio_ci_high": ratio + 0.5}
    return {"class": class_name, "seed": 0, "kind": kind} | counts | interval


def part(attribute, name, few=False):
    shares = {f"{share}{end}": 0.4 for share in ("auc", "sensitivity", "specificity") for end in ("", *ENDS)}
    gains = {f"auc_gain_over_classic{end}": 0.02 + number / 100 for number, end in enumerate(("", *ENDS))}
    schemes = {"classic": shares} | dict.fromkeys(GAN_SCHEMES, shares | gains)
    counts = {"images": 1234, "malignant": 56, "groups": 78, "few": few}
    return {"attribute": attribute, "part": name, "schemes": schemes} | counts


def control(auc):
    return {"auc": auc, "auc_ci_low": auc - 0.03, "auc_ci_high": min(auc + 0.03, 1), "test_images": 1234}


def validation(**changes):
    steps = [{"strength": strength, "kid": strength / 10, "kid_std": 0.01} for strength in (0.5, 1, 2)]
    damages = dict.fromkeys(("blur", "noise", "colour", "dropped_modes"), steps)
    content = {"halves": {"kid": -0.001, "kid_std": 0.002}, "damages": damages, "valid": True, "failed": [], "n": 1234}
    return content | changes


def write_classifier(scheme, seed, **changes):
    model = {"weights": "none", "parameters": 331553, "channels": 3, "threshold": 0.4321} | changes
    write(f"data/checkpoints/classifier/{scheme}/{seed}/model.json", model)
    curve = f"step,loss,val_auc\n22,0.7,0.6\n44,0.6,{0.7 + seed / 100}\n88,0.5,0.65\n"
    write(f"data/checkpoints/classifier/{scheme}/{seed}/curve.csv", curve)


def counts_of_stages():
    """12,345 records, of which 40 reach a split."""
    labels = {"benign": 9000, "malignant": 3000, "unknown": 300}
    by_label = {key: {"<value>": labels} for key in dataset.FIGURES}
    first = {"records": 12000, "unreadable": {"count": 40, "first": ["<record>"] * 9}, "duplicate_ids": {"dropped": 4}}
    second = {"records": 345, "unreadable": {"count": 0, "first": []}, "duplicate_ids": {"dropped": 0}}
    ingest = {"rows": 12300, "label": labels, "by_label": by_label, "sources": {"first": first, "<second>": second}}
    ingest |= {"repeated": {"images": 1}}
    reduce = {"rows": 12300, "dropped": {"unlabelled": 300, "too_odd": 100}, "not_chosen": 11853, "kept": 47}
    prepare = {"images": 47, "quarantined": {"broken": 7}, "packed": 40, "masks": None}
    split = {name: {"images": images} for name, images in (("train", 20), ("val", 10), ("test", 10))}
    split["by_source"] = {"<archive>": {"train": 20, "val": 10, "test": 10}}
    return {"ingest": ingest, "reduce": reduce, "prepare": prepare, "split": split}


def write_counts():
    for stage, counts in counts_of_stages().items():
        write(f"reports/{stage}.json", counts)
    write("data/duplicates.csv", f"{','.join(PAIR_COLUMNS)}\n")
    write("data/moved.csv", "image_id,from,to,group_id\n")


def write_pairs(*pairs):
    """Each: rows of the first and the second image, kind, distance, correlation, turn, targets of both."""
    names = [(f"<b>{pair[0]}", f"<b>{pair[1]}", *pair) for pair in pairs]
    pd.DataFrame(names, columns=PAIR_COLUMNS).to_csv("data/duplicates.csv", index=False)


def write_images():
    ids = [f"image_{i}" for i in range(40)]
    splits = pd.DataFrame({"image_id": ids, "row": range(40), "target": [0, 1] * 20, "group_id": ids})
    splits["split"] = ["train"] * 20 + ["val"] * 10 + ["test"] * 10
    Path("data/images").mkdir()
    splits.to_csv("data/splits.csv", index=False)
    np.save("data/images/images.npy", RNG.integers(0, 256, (40, 16, 16, 3), dtype=np.uint8))
    licences = pd.DataFrame({"image_id": ids, "licence": "CC-BY", "attribution": ["A | B"] * 30 + [""] * 10})
    licences.to_csv("data/reduced.csv", index=False)


def write_generator(class_name, seed=0):
    directory = Path(f"data/synthetic/{class_name}/{seed}")
    directory.mkdir(parents=True, exist_ok=True)
    np.save(directory / "images.npy", RNG.integers(0, 256, (15, 16, 16, 3), dtype=np.uint8))
    write(f"reports/controls/synthetic_{class_name}_{seed}.json", control(0.95 if class_name == "benign" else 0.8))
    scores = {"variant": "dcgan", "parameters": 1234, "kid": 0.0123, "kid_std": 0.001, "fid": 44.2, "n_real": 30}
    scores |= {"precision": 0.6, "recall": 0.3, "density": 0.5, "coverage": 0.5, "copies_found": 2, "n_synthetic": 15}
    scores |= {
        "checkpoint_kimg": 3,
        "sliced_wasserstein": 12.3,
        "extractor": "own",
        "extractor_sha256": "ab" * 32,
        "real_sha256": "cd" * 32,
        **FIVE,
    }
    scores["reference"] = {"random_pairs": FIVE, "real_pairs": FIVE, "noise_pairs": FIVE}
    write(f"reports/generators/{class_name}_{seed}.json", scores)
    curve = "kimg,generator_loss,discriminator_loss,extra,val_kid\n1,2,3,4,\n2,3,4,5,0.3\n3,3,4,5,0.2\n"
    write(f"reports/plots/gan_{class_name}_{seed}.csv", curve)
    likeness = np.linspace(0.9, 0.1, 16)  # the first is a copy
    manifest = pd.DataFrame({"row": [None, *range(15)], "likeness": likeness, "copy": likeness > 0.88})
    manifest["row"] = manifest["row"].astype("Int64")
    manifest.assign(nearest_image_id="image_1").to_csv(directory / "manifest.csv", index=False)
    Path("reports/samples").mkdir(exist_ok=True)
    Image.fromarray(RNG.integers(0, 256, (32, 32, 3), dtype=np.uint8)).save(f"reports/samples/{class_name}_{seed}.png")


class Page(HTMLParser):
    """The tags of a page and its text."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.words = [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.words.append(data)

    @property
    def text(self):
        return " ".join(" ".join(self.words).split())


def page():
    report.main()
    return Page(report.REPORT.read_text())


def test_the_verdict_is_said_once_and_plainly(standard):
    sentence = text.verdict_sentence(
        {
            "gan_balanced": scheme_report("harms", -0.05, 0.041),
            "gan_plus_10": scheme_report("no detectable effect", 0.01, 0.027),
        }
    )
    assert standard[0].text.count(sentence) == 1
    assert standard[1].count(sentence) == 1
    assert "harm in gan_balanced" in sentence
    assert "no detectable effect in gan_plus_10" in sentence
    assert "about these images, this split and this one generator of each class" in sentence
    several = {"gan_balanced": scheme_report("harms", -0.05, 0.041) | {"generators": 3}}
    assert "its error includes that of 3 generators of each class" in text.verdict_sentence(several)
    assert "found 19 times in 20 is 0.041 (gan_balanced) and 0.027 (gan_plus_10)." in sentence


def test_the_sentence_of_every_verdict():
    helped = text.verdict_sentence({"a": scheme_report("helps", 0.1, 0.05), "b": scheme_report("helps", 0.1, 0.05)})
    assert helped.startswith("Synthetic images helped in a and b, which beat both")
    assert "no scheme with synthetic images" in text.verdict_sentence({}).lower()
    gains = {"a": 0.05, "b": 0.02, "c": 0.07, "d": 0.04}
    many = {scheme: scheme_report("no detectable effect", 0.1, gain) for scheme, gain in gains.items()}
    sentence = text.verdict_sentence(many)
    assert sentence.startswith("Synthetic images had no detectable effect in each of the 4 schemes: ")
    assert sentence.endswith("found 19 times in 20 is 0.020 (b) to 0.070 (c).")
    some = many | {"a": scheme_report("helps", 0.1, 0.05)}
    assert "helped in a, which" in text.verdict_sentence(some)
    assert "no detectable effect in b, c and d" in text.verdict_sentence(some)
    untested = text.verdict_sentence({"a": scheme_report("not tested")})
    assert untested.startswith("The effect of synthetic images in a could not be tested")
    assert "19 times in 20" not in untested


def test_the_page_loads_nothing_from_outside(standard):
    opened, _, source = standard
    assert "http" not in re.sub(r"data:[^\"]+", "", source)
    loaded = [
        value for _, attrs in opened.tags for key, value in attrs.items() if key in ("src", "href", "srcset", "data")
    ]
    assert loaded
    assert all(value.startswith(("data:", "#")) for value in loaded)
    assert not {tag for tag, _ in opened.tags} & {"script", "link", "iframe", "object"}


def test_the_page_can_be_read_by_everyone(standard):
    opened = standard[0]
    attributes = dict(opened.tags)
    assert attributes["html"]["lang"] == "en"
    assert "viewport" in {attrs.get("name") for tag, attrs in opened.tags if tag == "meta"}
    assert [tag for tag, _ in opened.tags].count("title") == 1
    assert all(attrs["alt"] for tag, attrs in opened.tags if tag == "img")
    assert {attrs["href"][1:] for tag, attrs in opened.tags if tag == "a"} <= {
        attrs.get("id") for _, attrs in opened.tags
    }


def test_every_table_and_count_is_there(standard):
    text = standard[0].text
    for expected in (
        "gan_plus_10",
        "12,345",
        "quarantined: broken 7",
        "<record>",
        "and 4 more",
        "<archive> 20 10 10",
        "noise, against real",
        "CC-BY",
    ):
        assert expected in text
    assert "cannot rank generators" in text
    assert "gan.variants.dcgan.latent_dim" in text


def test_the_flow_and_the_figures_are_there(here, undrawn):
    write("data/moved.csv", "image_id,from,to,group_id\n" + "".join(f"<i{n:02d}>,train,test,g\n" for n in range(25)))
    text = page().text
    assert "Records 12,345" in text
    assert "without a label \N{MINUS SIGN}300 too odd \N{MINUS SIGN}100 left out by reduction to 5,000" in text
    assert "test, 25 of them moved here with their group 10" in text
    assert "not accounted for" not in text
    assert "<value> 12,300, 25 % malignant" in text
    assert "the first 20 of 25" in text
    assert text.count("train test g") == 20
    assert "| Packed | 40 |" in report.MODEL_CARD.read_text()


def test_without_duplicates_or_moves_the_page_says_so(standard):
    text = standard[0].text
    assert "No two of the packed images are the same file or look alike" in text
    assert "Moved from" not in text


def test_duplicates_are_shown_and_the_rest_counted(here, undrawn):
    write_pairs(*[(n, n + 1, "look", n, 0.9, "flip", 0, int(n == 7)) for n in range(30)])
    opened = page()
    pictures = [attrs["alt"] for tag, attrs in opened.tags if tag == "img" and "side by side" in attrs["alt"]]
    assert pictures[0] == "<b>7 and <b>8, side by side."
    assert len(pictures) == 24
    assert "In 1 of them the labels differ" in opened.text
    assert "Labels differ: benign, malignant" in opened.text
    assert "the other 6 are in" in opened.text


def test_a_second_run_writes_the_same_bytes(here):
    report.main()
    first = report.REPORT.read_bytes(), report.MODEL_CARD.read_bytes()
    report.main()
    assert (report.REPORT.read_bytes(), report.MODEL_CARD.read_bytes()) == first


def test_the_page_stays_small_with_many_large_generators(here):
    tree = read_tree()
    tree["gan"]["seeds"] = list(range(8))
    tree["image"]["size"] = tree["gan"]["image_size"] = 256
    write("params.yaml", yaml.safe_dump(tree))
    np.save("data/images/images.npy", RNG.integers(0, 256, (40, 256, 256, 3), dtype=np.uint8))
    noise = Image.fromarray(RNG.integers(0, 256, (800, 800, 3), dtype=np.uint8))
    columns = (
        "generator_loss",
        "discriminator_loss",
        "real_logits",
        "fake_logits",
        "generator_gradient_norm",
        "val_kid",
    )
    curve = pd.DataFrame({"kimg": range(300), **{name: RNG.random(300) for name in columns}})
    for class_name in ("benign", "malignant"):
        large = RNG.integers(0, 256, (15, 256, 256, 3), dtype=np.uint8)
        for seed in range(8):
            write_generator(class_name, seed)
            np.save(f"data/synthetic/{class_name}/{seed}/images.npy", large)
            noise.save(f"reports/samples/{class_name}_{seed}.png", compress_level=0)
            curve.to_csv(f"reports/plots/gan_{class_name}_{seed}.csv", index=False)
    text = page().text
    assert report.REPORT.stat().st_size <= 10_000_000
    assert "The grids of all 16 generators are in" in text
    assert "The training curves of all 16 generators are in" in text


def test_without_gan_schemes_there_is_no_verdict(here, undrawn):
    tree = read_tree()
    tree["classifier"]["gan_schemes"] = {}
    write("params.yaml", yaml.safe_dump(tree))
    assert "there is no verdict" in page().text
    assert "of 0 generators" not in report.MODEL_CARD.read_text()


def test_one_seed_and_phantoms_are_announced(standard):
    lacking = scheme_report() | {"intervals_carry_seed_error": False}
    assert len(text.caveats({"a": lacking}, "phantom")) == 2
    assert text.caveats({"a": scheme_report()}, "isic") == []
    assert "procedural phantoms" in standard[0].text


def test_the_checklist_answers_every_item_of_claim(here, undrawn):
    page()
    rows = [line for line in report.CLAIM.read_text().splitlines() if re.match(r"\| \d+ \|", line)]
    answers = {int(row.split("|")[1]): row.split("|")[3].strip() for row in rows}
    assert list(answers) == list(range(1, 43))
    assert all(answers.values())
    assert answers[20] == "train 20 images (10 malignant), val 10 images (5 malignant), test 10 images (5 malignant)"
    assert answers[36].startswith("baseline AUC 0.800 (0.750 to 0.850); classic")
    assert answers[32].startswith("dark skin: 670 images")
    assert "| told at sight from real ones | benign, seed 0: AUC 0.950; malignant, seed 0: AUC 0.800 |" in (
        report.CLAIM.read_text()
    )


def test_the_model_card_states_the_limits(standard):
    card = standard[1]
    for expected in (
        "Not a medical device",
        "## Model details",
        "| CC-BY | A / B | 30 |",
        "| CC-BY | not stated | 10 |",
        "- Out of scope: diagnosis",
        "## Factors",
        "## Metrics",
        "## Evaluation data",
        "## Training data",
        "## Quantitative analyses",
        "## Ethical considerations",
        "Skin tone",
        "## Caveats and recommendations",
        "--checkpoint data/checkpoints/classifier/baseline/0 IMAGE",
        "0.432: the one with",
        "efficientnet-b0 with width 0.35 and depth 0.35 at 48 px, trained from scratch",
        "| malignant, seed 0 | 0.0123 ± 0.001 | 44.2 | 12.3 |",
        "| gan_balanced | 40 | 3 |",
        "Malignant: 1 of 16 images drawn were near copies",
        "## Intended use",
    ):
        assert expected in card


@pytest.mark.parametrize(
    "name",
    [
        "reports/classifier/classic.json",
        "reports/generators/benign_0.json",
        "reports/split.json",
        "reports/features.json",
        "data/checkpoints/classifier/classic/1/curve.csv",
        "data/checkpoints/classifier/baseline/0/model.json",
        "data/synthetic/malignant/0/manifest.csv",
        "data/splits.csv",
        "data/duplicates.csv",
        "data/moved.csv",
    ],
)
def test_a_missing_file_is_named(here, undrawn, name):
    Path(name).unlink()
    with pytest.raises(InputError, match=name):
        report.main()


def test_the_sections_come_in_the_order_of_their_weight(standard):
    anchors = [attrs["id"] for tag, attrs in standard[0].tags if tag == "h2"]
    assert anchors == [
        "audit",
        "images",
        "curves",
        "subgroups",
        "external",
        "controls",
        "generators",
        "data",
        "settings",
    ]
    first_screen, _, _ = standard[2].partition("<h2")
    assert text.CLAUSES["harms"].format("gan_balanced")[1:] in first_screen.replace("Synthetic", "synthetic")
    assert first_screen.count("<td") == 5 * 7 + 5  # of every scheme all but its name, and the scales


def test_every_printed_interval_of_the_schemes_is_drawn(standard):
    table = standard[2].partition("</table>")[0]
    assert table.count('class="interval"') == table.count('class="strip"') == 5 * 4


def test_the_nearest_pairs_of_each_class_are_shown_with_typical_ones(standard):
    opened = standard[0]
    shown = [attrs["alt"] for tag, attrs in opened.tags if tag == "img" and "the training image" in attrs["alt"]]
    assert len(shown) == 2 * (pairs.CLOSEST + pairs.TYPICAL)
    assert opened.text.count("1 of 16 images drawn reached 0.6 and were dropped as copies") == 2
    assert "0.85 , generator seed 0; image_1" in opened.text
    assert "the most alike is at 0.90; of real images of val and test half are below" in opened.text


def test_classifiers_and_generators_have_their_training(standard):
    titles = [attrs["alt"] for tag, attrs in standard[0].tags if tag == "img"]
    assert sum("while the classifiers of" in title for title in titles) == 5
    assert "KID to validation images while the generator was trained: malignant, seed 0." in titles
    assert "efficientnet-b0 at 48 px, trained from scratch; 3 seeds of 88 optimizer steps" in standard[0].text
    assert "benign, seed 0 dcgan 1,234 3 0.0123 ± 0.001 44.2 12.3" in standard[0].text


def test_an_extractor_that_failed_is_a_warning(here, undrawn):
    write("reports/features.json", validation(valid=False, failed=["noise"]))
    report.main()
    assert '<p class="warning">The feature extractor failed its test on noise' in report.REPORT.read_text()


def test_times_have_a_page_of_their_own_and_the_report_is_the_same_without(here, undrawn):
    untimed = page().text
    assert not report.TIMES.exists()
    log = "finished,stage,seconds,peak_mb\n1,train_gan@benign-0,10.0,900\n2,train_gan@malignant-0,50.5,1200\n"
    log += "3,evaluate,1.5,\n4,train_gan@benign-7,99,9\n4,external@dark_skin,2.0,50\n4,external@gone,9,9\n"
    log += "5,train_classifier@classic-2,3,40\n6,report,9,9\n"
    write("logs/stages.csv", log)
    assert page().text == untimed
    text = " ".join(re.sub("<[^>]+>", " ", report.TIMES.read_text()).split())
    assert "Times and memory of the stages behind reports/report.html" in text
    assert "1 min 7 s in all, but for this report" in text
    assert "train_gan, 2 runs 1 min 0 s, 1,200 MB train_classifier 3.0 s, 40 MB external 2.0 s, 50 MB evaluate" in text


@pytest.mark.parametrize(
    ("built_with", "said"),
    [
        ({"weights": "none"}, "trained from scratch"),
        ({"weights": "imagenet", "weights_sha256": "ab12"}, "ImageNet weights, SHA-256 ab12"),
        ({"weights": "data/b3.pth", "weights_sha256": "ab12"}, "weights from data/b3.pth, SHA-256 ab12"),
    ],
)
def test_the_first_weights_are_said(built_with, said):
    assert text.weights_sentence(built_with) == said


def test_what_the_extractor_sees_is_said():
    assert text.extractor_sentence(validation()) == (
        "The feature extractor sees blur, noise, colour and dropped modes: KID rises with each, and between two halves "
        "of 1,234 real images KID is -0.001 ± 0.002."
    )
    failed = text.extractor_sentence(validation(valid=False, failed=["blur", "dropped_modes"]))
    assert failed.startswith("The feature extractor failed its test on blur and dropped modes: do not rank")


def test_gray_images_make_a_page(here, undrawn):
    for path in (Path("data/images/images.npy"), *Path("data/synthetic").glob("*/*/images.npy")):
        np.save(path, np.load(path)[..., :1])
    assert "Benign, synthetic, seed 0" in page().text


def test_a_mosaic_holds_the_images_in_order():
    images = np.arange(6, dtype=np.uint8).reshape(6, 1, 1, 1) * np.full((6, 4, 4, 1), 40, dtype=np.uint8)
    uri = pictures.mosaic(images, columns=3, size=4)

    picture = np.asarray(Image.open(io.BytesIO(base64.b64decode(uri.partition(",")[2]))))
    assert picture.shape == (12, 18)
    assert picture[3, 3::6].tolist() == [0, 40, 80]
    assert picture[9, 3::6].tolist() == [120, 160, 200]


def test_a_pair_is_shown_with_the_second_turned_to_lie_as_the_first_does():
    photograph = Image.fromarray(RNG.integers(0, 256, (16, 16), dtype=np.uint8)).resize((64, 64)).convert("RGB")
    for method in Image.Transpose:
        turned = photograph.transpose(method)
        thumbnails = np.stack([np.asarray(image.convert("L")) for image in (photograph, turned)])
        pair = similar_pairs([perceptual_hash(photograph), perceptual_hash(turned)], thumbnails, limit=30).iloc[0]
        uri = pictures.pair_picture(np.asarray(photograph), np.asarray(turned), pair.turn, size=64)
        shown = np.asarray(Image.open(io.BytesIO(base64.b64decode(uri.partition(",")[2]))), dtype=float)
        assert shown.shape == (64, 128 + pictures.PAIR_GAP, 3)
        assert abs(shown[:, :64] - shown[:, -64:]).mean() < 5, method
        assert abs(shown[:, :64] - np.asarray(photograph)).mean() < 5


def test_gray_pairs_are_shown():
    gray = np.zeros((8, 8, 1), dtype=np.uint8)
    assert pictures.pair_picture(gray, gray, "rotate90", size=16).startswith("data:image/jpeg")


def test_parts_of_the_test_split_are_drawn_and_listed_and_small_ones_marked(standard):
    page, _, html = standard
    assert "By sex" in page.text
    assert "By source" not in page.text  # one part: nothing to compare
    assert "male* 1,234 56 78 0.400 (0.400 to 0.400) +0.020 (+0.030 to +0.040)" in page.text
    assert "AUC of the schemes by sex, with intervals." in html


def test_without_classic_a_part_is_described_by_the_first_scheme(here, undrawn):
    tree = read_tree(ROOT / "params.yaml")
    tree["classifier"]["gan_schemes"] = {}
    del tree["classifier"]["real_schemes"]["classic"]
    write("params.yaml", yaml.safe_dump(tree))
    parts = [part("sex", "female"), part("sex", "male")]
    for each in parts:
        each["schemes"]["baseline"] = each["schemes"]["classic"]
    write("reports/subgroups.json", parts)
    assert "AUC, baseline" in page().text


def test_a_part_without_scores_has_dashes(here, undrawn):
    empty = part("sex", "other") | {"schemes": {}}
    write("reports/subgroups.json", [part("sex", "female"), part("sex", "male"), empty])
    assert "other 1,234 56 78 \u2013 \u2013" in page().text


def test_elsewhere_is_told_apart(standard):
    page, card, _ = standard
    assert "670 images, 160 of them malignant, of 333 patients or lesions; of 700 records 23 were left out" in page.text
    assert "and 7 as copies of images that the run has seen" in page.text
    assert "gan_balanced 0.700 (0.600 to 0.800) \N{MINUS SIGN}0.020" in page.text
    assert "Elsewhere, in the report apart: dark skin." in card


def test_artefacts_are_listed_and_those_with_other_rates_are_said_first(standard):
    page, card, _ = standard
    assert "benign, seed 0 hair 0.8 % of 1,234 0.9 % of 900 0.90 (0.40 to 1.40)" in page.text
    assert "malignant, seed 0 ink ! 0.8 % of 1,234 0.9 % of 900 2.10 (1.60 to 2.60)" in page.text
    assert "ink 0.987 90 % at 2.0 % false alarms 432 and 810" in page.text
    alarm = "other shares of synthetic than of real images: ink 0.9 % against 0.8 % (malignant, seed 0). A classifier"
    assert alarm in page.text.split("Real and synthetic images")[0]
    assert alarm in card


def test_controls_are_listed_and_those_that_tell_too_much_are_marked(standard):
    page, _, _ = standard
    assert "metadata sex, age, site and source, no image malignant or benign 0.520 (0.490 to 0.550) 1,234" in page.text
    assert "lesion hidden ! images with the lesion covered" in page.text
    assert "detector, benign, seed 0 ! whole images real or synthetic" in page.text
    assert "detector, malignant, seed 0 whole images" in page.text
    assert "without looking at lesions" not in page.text


def test_data_that_give_the_label_away_are_named_before_the_verdict_is_believed(here, undrawn):
    write("reports/controls/metadata.json", {"metadata": control(0.83), "source": control(0.5)})
    before = page().text.split("Real and synthetic images")[0]
    assert (
        "The label is told from sex, age, site and source, no image (AUC 0.830 (0.800 to 0.860)), from whole" in before
    )
