"""Another value of any param is another key in DVC's run cache, so that no stage is given the outputs of an old one."""

import copy
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from dvc.dependency.param import ParamsDependency
from dvc.repo import Repo
from dvc.stage import Stage
from dvc.stage.cache import _get_cache_hash
from dvc.stage.serialize import to_single_stage_lockfile

from pipeline.params.section import UNSEEN_BY_RUN_CACHE

ROOT = Path(__file__).parent.parent
FILES = [ROOT / "params.yaml", *sorted((ROOT / "recipes").glob("*.yaml"))]
FILES += [ROOT / "segmentation/params.yaml", *sorted((ROOT / "segmentation/recipes").glob("*.yaml"))]

Keys = tuple[str | int, ...]


def stages(folder: Path, params: Path) -> list[Stage]:
    """Those of the graph that the params belong to, as DVC makes them of it, with the params' values."""
    graph = Path("segmentation" if "segmentation" in params.relative_to(ROOT).parts else "")
    (folder / graph).mkdir(exist_ok=True)
    shutil.copy(ROOT / graph / "dvc.yaml", folder / graph)
    shutil.copy(params, folder / graph / "params.yaml")
    found = [stage for stage in Repo.init(str(folder), no_scm=True).index.stages if isinstance(stage, Stage)]
    for stage in found:
        for dependency in tracked_by(stage):
            dependency.fill_values(dependency.read_params())
    return found


def tracked_by(stage: Stage) -> list[ParamsDependency]:
    return [dependency for dependency in stage.deps if isinstance(dependency, ParamsDependency)]


def leaves(value: Any, path: Keys = ()) -> Iterator[Keys]:
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    if not inside:
        yield path
    for name, part in inside:
        yield from leaves(part, (*path, name))


def changed(values: dict[str, Any], path: Keys) -> dict[str, Any]:
    """With another value at the path."""
    values = copy.deepcopy(values)
    place: Any = values
    for name in path[:-1]:
        place = place[name]
    place[path[-1]] = f"not {place[path[-1]]}"
    return values


def key(stage: Stage) -> str:
    """By which the run cache looks for a stage that has run before."""
    return str(_get_cache_hash(to_single_stage_lockfile(stage), key=True))


@pytest.mark.parametrize("params", FILES, ids=lambda path: "-".join(path.relative_to(ROOT).with_suffix("").parts))
def test_another_value_of_any_tracked_param_is_another_key(
    params: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    tried = 0
    for stage in stages(tmp_path, params):
        before = key(stage)
        for dependency in tracked_by(stage):
            values = dependency.hash_info.value
            for path in leaves(values):
                dependency.fill_values(changed(values, path))
                assert key(stage) != before, f"{stage.addressing}: {'.'.join(map(str, path))}"
                tried += 1
            dependency.fill_values(values)
        assert key(stage) == before
    assert tried > 100


def test_dvc_leaves_out_what_we_take_it_to_leave_out() -> None:
    """Where this fails, DVC is mended, and sections with such a key can be tracked as a whole again."""

    def of(name: str, value: int) -> str:
        return str(_get_cache_hash({"params": {"params.yaml": {"reduce": {name: value}}}}, key=True))

    assert all(of(name, 5000) == of(name, 7000) for name in UNSEEN_BY_RUN_CACHE)
    assert of("sizes", 5000) != of("sizes", 7000)
