"""The table of generators: nothing of the project is changed, nothing trained twice, failures are counted."""

import sys
from pathlib import Path

import numpy as np
import pytest
import scipy.stats
import yaml

from benchmarks import generators
from benchmarks.generators import Task, overridden, ratio, ratios, table
from pipeline.errors import InputError
from pipeline.params.reader import read_tree

ROOT = Path(__file__).parent.parent


@pytest.mark.parametrize("name", ["variants", "ladder", "flagship"])
def test_the_lists_are_valid(name: str) -> None:
    params = read_tree(ROOT / "params.yaml")
    entries = generators.chosen_entries(ROOT / f"benchmarks/{name}.yaml", None)
    assert len(entries) >= (9 if name == "flagship" else 15)
    for settings in entries.values():
        overridden(params, settings)
    if name == "variants":
        assert {settings[0].removeprefix("gan.variant=") for settings in entries.values()} == (
            set(params["gan"]["variants"]) - {"folder"}
        )


@pytest.mark.slow
def test_a_list_is_trained_once_and_the_project_stays_as_it_was(experiment, monkeypatch, capsys) -> None:
    experiment()
    Path("data/images/masks.npy").unlink()  # not every project has masks
    Path("list.yaml").write_text(
        yaml.safe_dump({"plain": [], "hopeless": ["gan.variants.dcgan.generator_learning_rate=1e+30"]})
    )
    before = sorted(path for path in Path().rglob("*") if path.is_file())
    monkeypatch.setattr(sys, "argv", ["generators", "list.yaml", "--jobs", "2", "--out", "runs", "--against", "plain"])
    generators.main()
    shown = capsys.readouterr()
    assert "| hopeless | all 1 failed |" in shown.out
    assert "became nan by 0" in shown.err
    cells = next(line for line in shown.out.splitlines() if line.startswith("| plain |")).split("|")
    assert len(cells) == 13
    assert all(float(cells[number]) > 0 for number in (8, 9, 10))  # parameters, memory, rate
    assert [path for path in before if not path.is_file()] == []
    assert {path.parts[0] for path in Path().rglob("*") if path.is_file()} - {path.parts[0] for path in before} == {
        "runs"
    }
    trained = []
    with monkeypatch.context() as patched:
        patched.setattr(generators, "run", lambda task, *_: trained.append(task.name) or {"failed": 1})
        generators.main()
        assert capsys.readouterr().out == shown.out
        assert trained == []
        splits = Path("data/splits.csv")
        splits.write_text(splits.read_text() + "\n")  # other data
        generators.main()
        assert sorted(trained) == ["hopeless", "plain"]


def test_overrides_are_yaml_and_must_fit(smoke_params) -> None:
    changed = overridden(
        smoke_params, ["gan.variant=r3", "gan.train.diff_augment=[flip, color]", "gan.train.kimg=3e-1"]
    )
    assert changed["gan"]["variant"] == "r3"
    assert changed["gan"]["train"] | {"diff_augment": ["flip", "color"], "kimg": 0.3} == changed["gan"]["train"]
    assert smoke_params["gan"]["variant"] == "dcgan"
    with pytest.raises(InputError, match=r"gan\.train\.kimgs is no key"):
        overridden(smoke_params, ["gan.train.kimgs=3"])
    for unread in ("features.width=32", "seed=1"):
        with pytest.raises(InputError, match=f"{unread.split('=')[0]} is read by no stage that is run here"):
            overridden(smoke_params, [unread])
    with pytest.raises(InputError, match=r"gan\.train\.diff_augment=\[flip is no YAML value"):
        overridden(smoke_params, ["gan.train.diff_augment=[flip"])
    with pytest.raises(InputError, match=r"seed\.x is no key"):
        overridden(smoke_params, ["seed.x=1"])
    with pytest.raises(InputError, match=r"with gan\.variant=stylegan: gan\.variant is 'stylegan'"):
        overridden(smoke_params, ["gan.variant=stylegan"])


def row(kid: float) -> dict[str, float]:
    keys = ("kid_std", "recall", "coverage", "parameters", "memory_gb", "images_per_second", "seconds")
    return dict.fromkeys(keys, 1.0) | {"kid": kid, "sliced_wasserstein": 4 * kid, "copies_found": 1}


def test_ratios_are_of_geometric_means_with_welchs_interval() -> None:
    ours, others = [0.02, 0.03, 0.025], [0.05, 0.06, 0.04]
    middle = scipy.stats.gmean(ours) / scipy.stats.gmean(others)
    interval = scipy.stats.ttest_ind(np.log(ours), np.log(others), equal_var=False).confidence_interval(0.95)
    assert ratio(ours, others) == f"{middle:.2f} ({np.exp(interval.low):.2f} to {np.exp(interval.high):.2f})"
    assert ratio([0.02], [0.04]) == "0.50"
    assert ratio([-0.01, 0.02], others) == "none"
    tasks = [Task(name, seed, {}) for name in ("a", "b") for seed in range(3)]
    rows = [row(value) for value in (*ours, *others)]
    assert ratio(ours, others) in ratios(tasks, rows, "b")
    assert "| a | 0.025 | 0.020 ± 1.000, 0.030 ± 1.000, 0.025 ± 1.000 | 0.100 | 1.00 | 1.00 | 3 |" in table(tasks, rows)


def test_failed_runs_are_counted_and_not_averaged() -> None:
    tasks = [Task("a", seed, {}) for seed in range(2)]
    assert "| a | 0.020 | 0.020 ± 1.000, 1 failed |" in table(tasks, [row(0.02), {"failed": 1}])


def test_a_run_that_died_is_no_property_of_the_generator(experiment, monkeypatch) -> None:
    experiment()
    task = Task("cut", 0, yaml.safe_load(Path("params.yaml").read_text()))
    monkeypatch.setattr(generators, "STAGES", ("train_gan",))
    monkeypatch.setattr(generators.sys, "executable", "/bin/false")
    with pytest.raises(InputError, match=r"cut 0: ; see runs/train_gan\.log"):
        generators.run(task, "malignant", Path("runs"))
