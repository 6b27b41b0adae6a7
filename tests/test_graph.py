"""dvc.yaml, the code and params.yaml say the same."""

import ast
import importlib
import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from models.generators import VARIANTS
from models.segmenters import SEGMENTERS
from pipeline import resume
from pipeline.params.generators import SETTINGS
from pipeline.params.reader import StageParams
from pipeline.params.section import UNSEEN_BY_RUN_CACHE, Section

ROOT = Path(__file__).parent.parent


def stages_of(graph: str) -> dict[str, dict]:
    """Of a foreach what it does, in the words of a matrix."""
    text = (ROOT / graph).read_text().replace("${key}", "${item.set}")
    return {name: stage.get("do", stage) for name, stage in yaml.safe_load(text)["stages"].items()}


# Those of the main graph by their names, those of the second with its folder.
STAGES = stages_of("dvc.yaml") | {
    f"segmentation/{name}": stage for name, stage in stages_of("segmentation/dvc.yaml").items()
}
CHECKED = [name for name in STAGES if not name.endswith("check_params")]
REGISTRIES = {
    "models/generators/__init__.py",
    "models/segmenters/__init__.py",
    "pipeline/params/generators/__init__.py",
}
# What cannot change a result: it validates, stores, logs, counts cores or finds the place to resume from.
EXEMPT = {
    "pipeline/checkpoints.py",
    "pipeline/cores.py",
    "pipeline/errors.py",
    "pipeline/named_by_content.py",
    "pipeline/progress.py",
    "pipeline/resume.py",
    "pipeline/stage.py",
    "pipeline/store.py",
    "pipeline/training_picture.py",
    "pipeline/versions.py",
}
PARAMS_FILES = ("pipeline/params/", "segmentation/params.py")
VARIANT_FILE = "models/generators/${gan.variant}.py"
SEGMENTER_FILES = ("models/segmenters/${item.architecture}.py", "models/segmenters/${schemes.architecture}.py")


def file_of(stage: str) -> str:
    return f"{stage if '/' in stage else f'pipeline/{stage}'}.py"


@cache
def imported_files(file: str) -> frozenset[str]:
    """The project's own modules that a file imports."""
    found = set()
    for node in ast.walk(ast.parse((ROOT / file).read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        else:
            continue
        for name in names:
            path = name.replace(".", "/")
            found |= {candidate for candidate in (f"{path}.py", f"{path}/__init__.py") if (ROOT / candidate).is_file()}
    return frozenset(found)


@cache
def libraries(file: str) -> frozenset[str]:
    """The top-level modules that a file imports anywhere in it."""
    tree = ast.parse((ROOT / file).read_text())
    modules = [node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    modules += [alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names]
    return frozenset(module.split(".")[0] for module in modules)


def closure(*files: str) -> set[str]:
    """What files import, directly or not; a registry is not followed, as it imports every variant."""
    seen: set[str] = set()
    left = list(files)
    while left:
        file = left.pop()
        if file not in seen:
            seen.add(file)
            left += [] if file in REGISTRIES else imported_files(file)
    return seen


def code_of(stage: str) -> set[str]:
    """The files that can change a stage's result."""
    files = closure(file_of(stage))
    if "models/generators/__init__.py" in files and "/" not in stage:
        variants = {f"models/generators/{name}.py" for name in VARIANTS}
        files |= (closure(*variants) - variants) | {VARIANT_FILE}
    if "models/segmenters/__init__.py" in files:
        segmenters = {f"models/segmenters/{name}.py" for name in SEGMENTERS}
        files |= (closure(*segmenters) - segmenters) | set(SEGMENTER_FILES) & set(STAGES[stage]["deps"])
    return {
        file
        for file in files
        if file not in EXEMPT and not file.endswith("__init__.py") and not file.startswith(PARAMS_FILES)
    }


def outputs(stage: dict) -> set[str]:
    entries = [entry for kind in ("outs", "metrics", "plots") for entry in stage.get(kind, [])]
    return {entry if isinstance(entry, str) else next(iter(entry)) for entry in entries}


def declared_code(stage: dict) -> set[str]:
    """Code deps, folders spelled out."""
    found = set()
    for dep in stage["deps"]:
        if dep.startswith(("pipeline/", "models/", "segmentation/")):
            folder = ROOT / dep
            found |= {str(file.relative_to(ROOT)) for file in folder.rglob("*.py")} if folder.is_dir() else {dep}
    return found


@pytest.mark.parametrize("name", STAGES)
def test_every_stage_is_a_module_of_the_same_name(name: str) -> None:
    module = file_of(name).removesuffix(".py").replace("/", ".")
    assert STAGES[name]["cmd"].split(" --")[0] == f"python -m {module}"
    assert (ROOT / file_of(name)).is_file()


def test_every_stage_module_is_a_stage() -> None:
    files = [*(ROOT / "pipeline").glob("*.py"), *(ROOT / "segmentation").glob("*.py")]
    modules = {str(path.relative_to(ROOT)) for path in files if "\n    run_stage(main" in path.read_text()}
    assert modules == {file_of(name) for name in STAGES}


@pytest.mark.parametrize("name", CHECKED)
def test_code_deps_are_what_the_stage_imports(name: str) -> None:
    declared = {file for file in declared_code(STAGES[name]) if file.endswith(".py") and "__init__" not in file}
    assert declared == code_of(name)


@pytest.mark.parametrize("name", CHECKED)
def test_every_stage_depends_on_the_versions_of_its_libraries(name: str) -> None:
    assert "versions.txt" in STAGES[name]["deps"]


def test_versions_are_those_of_the_lock() -> None:
    locked = [line.removesuffix("\\").strip() for line in (ROOT / "requirements.lock").read_text().splitlines()]
    versions = (ROOT / "versions.txt").read_text().splitlines()
    assert {line.split("==")[0] for line in versions} >= {"numpy", "pandas", "pillow", "torch", "torchvision"}
    assert [line for line in locked if line.split("==")[0] in {line.split("==")[0] for line in versions}] == versions


def resumed_code() -> set[str]:
    """Of all stages that can be resumed, whichever variant or architecture they train."""
    resumed = [name for name in CHECKED if "pipeline/resume.py" in closure(file_of(name))]
    files = {file for name in resumed for file in code_of(name) if "$" not in file}
    return files | {str(path.relative_to(ROOT)) for path in (ROOT / "models").glob("*s/*.py")}


def test_the_key_to_resume_by_holds_all_that_a_training_imports() -> None:
    named = {str(path.relative_to(ROOT)) for path in resume.code_files()}
    assert resumed_code() - named == set()
    for pattern in resume.CODE:  # none that decides no training: an edit of it would throw a day's training away
        files = {str(path.relative_to(ROOT)) for path in ROOT.glob(pattern)}
        assert files & resumed_code() or pattern == "versions.txt", pattern


def test_a_pattern_that_names_no_file_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resume, "CODE", [*resume.CODE, "pipeline/moved_*.py"])
    with pytest.raises(FileNotFoundError, match=r"no file is called pipeline/moved_\*\.py"):
        resume.code_files()


def tracked(alias: str, kind: Any) -> list[str]:
    """What DVC is to track of a section: all of it, or its leaves where the run cache would not see one."""
    if isinstance(kind, type) and issubclass(kind, Section) and UNSEEN_BY_RUN_CACHE & kind.model_fields.keys():
        return [f"{alias}.{leaf}" for leaf in kind.model_fields]
    return [alias]


@pytest.mark.parametrize("name", CHECKED)
def test_params_are_what_the_stage_declares(name: str) -> None:
    module = importlib.import_module(file_of(name).removesuffix(".py").replace("/", "."))
    params = getattr(module, "Params", StageParams)  # a stage without any declares none
    wanted = [key for field in params.model_fields.values() for key in tracked(field.alias, field.annotation)]
    assert sorted(declared_params(name)) == sorted(wanted)


@pytest.mark.parametrize("name", CHECKED)
def test_whoever_computes_with_torch_says_by_how_many_threads(name: str) -> None:
    if any("torch" in libraries(file) for file in closure(file_of(name))):
        assert "compute.threads" in declared_params(name)


def declared_params(stage: str) -> list[str]:
    """The second graph names the file that they stand in."""
    params = STAGES[stage].get("params", [])
    return params[0]["segmentation/params.yaml"] if "/" in stage and params else params


def text_of(stage: str) -> str:
    """Of the stage's file, and of those that know the paths of several stages."""
    text = (ROOT / file_of(stage)).read_text()
    shared = {f"pipeline/{name}.py" for name in ("controls", "experiment", "held_out", "predictions")}
    shared |= {f"segmentation/{name}.py" for name in ("fitting", "held_out", "packed", "translating")}
    shared &= closure(file_of(stage))
    return text + "".join((ROOT / file).read_text() for file in shared)


@pytest.mark.parametrize("name", STAGES)
def test_paths_in_the_code_are_deps_or_outputs(name: str) -> None:
    stage = STAGES[name]
    declared = {re.sub(r"/?\$\{item.*", "", path) for path in [*stage["deps"], *outputs(stage)]}
    text = text_of(name)
    for path in re.findall(r'Path\("((?:data|reports)/[^"]+)"\)', text):
        assert any(path == known or path.startswith(f"{known}/") or known.startswith(f"{path}/") for known in declared)


@pytest.mark.parametrize("name", STAGES)
def test_data_deps_and_outputs_are_paths_in_the_code(name: str) -> None:
    """No stage waits for what it does not read, nor promises what it does not write."""
    stage = STAGES[name]
    text = text_of(name)
    in_code = set(re.findall(r'Path\("((?:data|reports)/[^"]+)"\)', text))
    for path in [*stage["deps"], *outputs(stage)]:
        if path.startswith(("data/", "reports/")) and not path.endswith("check_params.txt"):
            plain = path.split("/${")[0].split("/gan_${")[0]
            assert any(plain == known or plain.startswith(f"{known}/") for known in in_code), path


def test_every_output_belongs_to_one_stage() -> None:
    paths = [path for stage in STAGES.values() for path in outputs(stage)]
    shared = {
        "data/checkpoints/classifier/${item.scheme}/${item.seed}",
        "data/predictions/${item.scheme}/${item.seed}.csv",
        "data/segmentation/checkpoints/schemes/${item.scheme}/${item.seed}",
        "data/segmentation/predictions/schemes/${item.scheme}/${item.seed}",
    }
    assert {path for path in paths if paths.count(path) > 1} == shared  # of the classifier stages, other schemes


def test_data_is_ignored_by_git_by_name() -> None:
    ignored = (ROOT / ".gitignore").read_text().splitlines()
    for stage in STAGES.values():
        for path in outputs(stage):
            if path.startswith("data/"):
                assert any(f"/{path}".startswith(line.rstrip("/")) for line in ignored if line.startswith("/data/"))
    assert not any(line.startswith("!") for line in ignored)


def test_uncached_outputs_stand_on_the_last_stage_only() -> None:
    """They switch the run cache off."""
    for name, stage in STAGES.items():
        uncached = [out for out in stage.get("outs", []) if not isinstance(out, str)]
        assert not uncached or name.endswith("report")


def test_variants_have_networks_and_settings() -> None:
    assert list(VARIANTS) == list(SETTINGS) == sorted(VARIANTS)


ALLOWED = {
    "models": {"torch", "torchvision", "efficientnet_pytorch", "diffusers", "models"},
    "pipeline/training": {"torch", "torchsampler", "numpy", "models", "pipeline"},
    "pipeline/metrics": {"torch", "numpy", "scipy", "sklearn", "models", "pipeline"},
}
STANDARD = {
    "abc",
    "collections",
    "concurrent",
    "contextlib",
    "copy",
    "dataclasses",
    "functools",
    "itertools",
    "math",
    "typing",
}


@pytest.mark.parametrize("folder", ALLOWED)
def test_networks_loops_and_metrics_do_no_input_or_output(folder: str) -> None:
    for path in (ROOT / folder).rglob("*.py"):
        tree = ast.parse(path.read_text())
        for node in ast.walk(tree):
            modules = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            modules += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            for module in modules:
                assert module.split(".")[0] in ALLOWED[folder] | STANDARD, f"{path}: {module}"
                allowed = ("pipeline.errors", "pipeline.metrics", "pipeline.params", "pipeline.training")
                assert not module.startswith("pipeline") or module.startswith(allowed), f"{path}: {module}"
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                assert node.func.id not in ("open", "print"), f"{path}: {node.func.id}"


def test_no_stage_imports_another() -> None:
    for name in STAGES:
        assert not {file_of(other) for other in STAGES} & imported_files(file_of(name))


NO_TORCHVISION = ["train_gan", "synthesize", "train_features", "train_classifier", "filter_synthetic", "external"]


@pytest.mark.parametrize("name", NO_TORCHVISION)
def test_stages_that_may_not_need_torchvision_do_not_start_with_it(name: str) -> None:
    """It doubles a process's start; piq and torchsampler bring it along."""
    for file in closure(file_of(name)):
        tree = ast.parse((ROOT / file).read_text())
        modules = [node.module or "" for node in tree.body if isinstance(node, ast.ImportFrom)]
        modules += [alias.name for node in tree.body if isinstance(node, ast.Import) for alias in node.names]
        assert not {module.split(".")[0] for module in modules} & {"torchvision", "piq", "torchsampler"}, file


TORCH_FREE = ["check_params", "phantom", "read_source", "ingest", "reduce", "prepare", "split", "evaluate", "report"]
TORCH_FREE += [f"segmentation/{name}" for name in ("index", *TORCH_FREE) if f"segmentation/{name}" in STAGES]


@pytest.mark.parametrize("name", TORCH_FREE)
def test_data_stages_do_not_import_torch(name: str) -> None:
    for file in closure(file_of(name)):
        assert not libraries(file) & {"torch", "torchvision", "piq"}, file
