"""params.yaml: every mistake one line, all at once; every recipe valid."""

from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml
from dvc.utils.serialize import parse_yaml

from pipeline import check_params
from pipeline.errors import InputError
from pipeline.params.document import mistakes
from pipeline.params.reader import StageParams, lookup, read_params, read_tree

ROOT = Path(__file__).parent.parent
FILES = [ROOT / "params.yaml", *sorted((ROOT / "recipes").glob("*.yaml"))]


def changed(params: dict[str, Any], key: str, value: Any) -> dict[str, Any]:
    *path, last = key.split(".")
    section = params
    for part in path:
        section = section[part]
    if value is None and last in section:
        del section[last]
    else:
        section[last] = value
    return params


@pytest.mark.parametrize("file", FILES, ids=lambda path: path.stem)
def test_every_recipe_is_valid(file: Path) -> None:
    assert mistakes(read_tree(file)) == []


def keys(tree: Any, prefix: str = "") -> set[str]:
    """Dotted keys, but for mappings whose keys are the user's own."""
    schemes = (f"classifier.{kind}_schemes" for kind in ("real", "gan", "filtered"))
    own = ("source", "external.sets", *schemes)
    if not isinstance(tree, dict) or prefix in own:
        return {prefix}
    return {key for name, value in tree.items() for key in keys(value, f"{prefix}.{name}".lstrip("."))}


@pytest.mark.parametrize("file", FILES[1:], ids=lambda path: path.stem)
def test_recipes_have_the_keys_of_params_yaml(file: Path) -> None:
    assert keys(read_tree(file)) == keys(read_tree(FILES[0]))


@pytest.mark.parametrize("file", FILES[1:], ids=lambda path: path.stem)
def test_recipes_survive_dvc_s_rewriting(file: Path) -> None:
    """`dvc exp run -S` writes block lists with the dash at the key's indentation: ours are so already."""
    lines = file.read_text().splitlines()
    for before, line in pairwise(lines):
        if line.lstrip().startswith("- ") and before.split("#")[0].rstrip().endswith(":"):
            assert len(line) - len(line.lstrip()) == len(before) - len(before.lstrip())


@pytest.mark.parametrize(
    ("key", "value", "sentence"),
    [
        ("gan.variant", "stylegan", "gan.variant is 'stylegan'; known variants: acgan, autoencoder"),
        ("gan.varient", "dcgan", "gan.varient is not a known key"),
        ("gan.train", None, "gan.train is missing"),
        ("gan.train.kimg", -1, "gan.train.kimg should be greater than 0, got -1"),
        ("gan.train.kimg", "many", "gan.train.kimg should be a valid number, got 'many'"),
        ("gan.train.batch_size", 2.5, "gan.train.batch_size should be a valid integer, got 2.5"),
        ("gan.train.batch_size", True, "gan.train.batch_size should be a valid integer, got True"),
        ("gan.variants.dcgan.loss", "wasserstein", "gan.variants.dcgan.loss should be 'minimax' or 'non_saturating'"),
        ("gan.variants.dcgan", None, "gan.variants.dcgan is missing; gan.variant needs its settings"),
        ("gan.variants.biggan", {}, "gan.variants.biggan is not a known key"),
        ("gan.image_size", 48, "gan.image_size must be one of 32, 64, 128, 256, got 48"),
        ("gan.image_size", 64, "gan.image_size is 64 and image.size 32; images are never enlarged"),
        ("gan.seeds", [0, 0], "gan.seeds repeats a value: [0, 0]"),
        ("gan.classes", ["benign"], "scheme gan_balanced needs synthetic malignant images"),
        ("gan.classes", ["malignant"], "scheme gan_plus_10 needs synthetic benign images"),
        ("image.size", 64, ""),
        ("image.fit", "cut", "image.fit should be 'crop' or 'squash', got 'cut'"),
        ("image.channels", 2, "image.channels should be 1 or 3, got 2"),
        ("split.val", 0.5, "split train + val + test must be 1, got 1.35"),
        ("seed", -1, "seed must be an integer of at least 0, got -1"),
        ("seed", "zero", "seed must be an integer of at least 0, got 'zero'"),
        ("reduce", None, "reduce is missing"),
        ("reduction", {}, "reduction is not a known section"),
        ("reduce.balance", "balanced", "scheme gan_balanced fills the classes up to equal numbers"),
        ("source.phantom.columns", {"image": "x"}, "source.phantom.columns maps unknown columns ['image']"),
        (
            "source.phantom.columns",
            {"image_id": "x", "label": "y", "target": "z"},
            "source.phantom.columns maps unknown columns ['target']",
        ),
        ("source.phantom.columns", {"image_id": "x"}, "source.phantom.columns must map at least image_id and label"),
        (
            "source.phantom.labels",
            {"x": "evil"},
            "source.phantom.labels.x should be 'benign', 'malignant', 'indeterminate' or 'unknown'",
        ),
        ("phantom.images", 0, "source.phantom.metadata is data/raw/phantom/descriptions and phantom.images is 0"),
        ("classifier.real_schemes.oversample", None, "classifier.real_schemes.oversample is missing"),
        ("classifier.real_schemes.gan-x", {}, "classifier.real_schemes.gan-x"),
        ("classifier.frozen_blocks", 3, "classifier.frozen_blocks is 3 with weights: none"),
        ("classifier.weights", "imagenet", "classifier.weights: imagenet fit the model's own size only"),
        ("classifier.model", "resnet18", "classifier.model should be 'efficientnet-b0'"),
        ("classifier.real_schemes.classic.loss", "weighted", "scheme classic balances the classes twice"),
        ("score.neighbours", 150, "score.neighbours is 150 and synthesize.count 150"),
        ("controls.synthetic", ["benign", "malignant", "benign"], "controls.synthetic repeats a value"),
        ("gan.classes", ["benign"], "controls.synthetic has malignant and gan.classes is ['benign']"),
        (
            "classifier.gan_schemes.gan_balanced.real",
            False,
            "scheme gan_balanced fills the classes up to equal numbers",
        ),
        *(
            (key, {name: value}, f"{key}.{name} is called '{name}', a name that DVC leaves out")
            for key, value in (
                ("source", {}),
                ("source.phantom.columns", "x"),
                ("source.phantom.labels", "benign"),
                ("external.sets", {}),
                ("classifier.real_schemes", {}),
                ("classifier.gan_schemes", {}),
                ("classifier.filtered_schemes", {}),
            )
            for name in ("size", "nfiles")
        ),
        ("compute.threads", 0, "compute.threads should be greater than or equal to 1, got 0"),
        ("compute.device", "tpu", "compute.device should be 'auto', 'cpu', 'cuda' or 'mps', got 'tpu'"),
    ],
)
def test_a_mistake_is_one_line(key: str, value: Any, sentence: str, smoke_params: dict[str, Any]) -> None:
    found = mistakes(changed(smoke_params, key, value))
    if not sentence:
        assert found == []
        return
    assert any(line.startswith(sentence) for line in found), found
    assert all("\n" not in line for line in found)


def test_a_filtered_scheme_obeys_the_rules_of_the_others(smoke_params: dict[str, Any]) -> None:
    schemes = smoke_params["classifier"]
    schemes["filtered_schemes"] = {"gan_balanced": {**schemes["gan_schemes"]["gan_balanced"], "votes": 0.5}}
    smoke_params["gan"]["classes"] = ["benign"]
    smoke_params["controls"]["synthetic"] = []
    found = mistakes(smoke_params)
    assert "scheme gan_balanced is in both classifier.gan_schemes and classifier.filtered_schemes; rename one" in found
    assert any(line.startswith("scheme gan_balanced needs synthetic malignant images") for line in found)
    schemes["filtered_schemes"]["gan_balanced"]["votes"] = 0
    assert any("votes should be greater than 0" in line for line in mistakes(smoke_params))


def test_a_scheme_in_both_groups_is_refused(smoke_params: dict[str, Any]) -> None:
    schemes = smoke_params["classifier"]
    schemes["gan_schemes"]["classic"] = schemes["gan_schemes"]["gan_balanced"]
    assert mistakes(smoke_params) == [
        "scheme classic is in both classifier.real_schemes and classifier.gan_schemes; rename one"
    ]


def test_artefacts_are_found_in_colour(smoke_params: dict[str, Any]) -> None:
    smoke_params["image"]["channels"] = 1
    (found,) = mistakes(smoke_params)
    assert found.startswith("artefacts.kinds is ['hair', ")
    assert found.endswith("they are found in colour: set kinds: []")


def test_imagenet_weights_need_colour(smoke_params: dict[str, Any]) -> None:
    smoke_params["image"]["channels"] = 1
    smoke_params["artefacts"]["kinds"] = []
    smoke_params["classifier"] |= {"weights": "imagenet", "width": None, "depth": None}
    (found,) = mistakes(smoke_params)
    assert found.startswith("classifier.weights: imagenet need colour and image.channels is 1")


def test_a_generator_smaller_than_the_classifier_is_refused(smoke_params: dict[str, Any]) -> None:
    smoke_params["image"]["size"] = smoke_params["classifier"]["image_size"] = 64
    (found,) = mistakes(smoke_params)
    assert found.startswith("gan.image_size is 32 and classifier.image_size 64")


def test_the_stage_names_all_mistakes_at_once_and_writes_nothing(
    smoke_params: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for key, value in (("seed", -1), ("gan.variant", "stylegan"), ("image.fit", "cut")):
        changed(smoke_params, key, value)
    Path("params.yaml").write_text(yaml.safe_dump(smoke_params))
    with pytest.raises(InputError) as caught:
        check_params.main()
    assert str(caught.value).count("\n") == 3
    for value in ("-1", "'stylegan'", "'cut'", "3 mistakes"):
        assert value in str(caught.value)
    assert not check_params.MARKER.exists()


def test_a_folder_that_is_not_there_is_named_before_anything_runs(
    smoke_params: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    mine = {"metadata": "data/raw/mine/table.csv", "images": "data/raw/mine", "masks": None}
    smoke_params["source"] = {"mine": smoke_params["source"]["phantom"] | mine}
    Path("params.yaml").write_text(yaml.safe_dump(smoke_params))
    Path("data/raw/mine").mkdir(parents=True)
    Path("params.yaml").write_text(yaml.safe_dump(smoke_params | {"seed": -1}))
    with pytest.raises(InputError, match=r"2 mistakes"):
        check_params.main()
    Path("params.yaml").write_text(yaml.safe_dump(smoke_params))
    with pytest.raises(
        InputError, match=r"source\.mine\.metadata is data/raw/mine/table\.csv, which does not exist; copy or"
    ):
        check_params.main()
    Path("data/raw/mine/table.csv").touch()
    check_params.main()
    assert check_params.MARKER.is_file()


def test_numbers_are_read_as_dvc_reads_them(tmp_path: Path) -> None:
    file = tmp_path / "params.yaml"
    text = "a: 2e-4\nb: 1.5\nc: 010\nd: 1e5\ne: 1:30\nf: yes\ng: 0o17\nh: 1_000\n"
    file.write_text(text)
    read = {"a": 0.0002, "b": 1.5, "c": 10, "d": 100000.0, "e": "1:30", "f": "yes", "g": 15, "h": 1000}
    assert read_tree(file) == parse_yaml(text, str(file)) == read


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (None, "does not exist"),
        ("a: [", "is not valid YAML"),
        ("a: 1\na: 2", "duplicate key"),
        ("- a\n", "must be a mapping of sections, got list"),
    ],
)
def test_a_file_that_is_no_params_is_one_sentence(text: str | None, sentence: str, tmp_path: Path) -> None:
    file = tmp_path / "params.yaml"
    if text is not None:
        file.write_text(text)
    with pytest.raises(InputError, match=sentence):
        read_tree(file)


def test_templated_params_are_resolved_as_in_dvc_yaml(
    smoke_params: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pydantic import Field

    class Params(StageParams):
        settings: dict[str, Any] = Field(alias="gan.variants.${gan.variant}")
        scheme: dict[str, Any] = Field(alias="classifier.real_schemes.${item.scheme}")

    monkeypatch.chdir(tmp_path)
    Path("params.yaml").write_text(yaml.safe_dump(smoke_params))
    params = read_params(Params, scheme="classic")
    assert params.settings == smoke_params["gan"]["variants"]["dcgan"]
    assert params.scheme["augment"] == "standard"
    with pytest.raises(InputError, match=r"classifier\.real_schemes\.missing is missing"):
        read_params(Params, scheme="missing")
    with pytest.raises(InputError, match=r"a\.b is missing"):
        lookup({"a": 1}, "a.b")
