"""How every stage runs: exit code, one line, elapsed time; and atomic writing."""

import csv
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pipeline.errors import InputError
from pipeline.images import at_size, open_images, rows_of
from pipeline.seeding import derive_seed
from pipeline.stage import LOG, run_stage
from pipeline.store import read_csv, replaced_directory, replaced_file, write_csv, write_json


def run(
    main: Callable[..., None], monkeypatch: pytest.MonkeyPatch, *arguments: str, items: tuple[str, ...] = ()
) -> None:
    monkeypatch.setattr(sys, "argv", ["pipeline/split.py", *arguments])
    run_stage(main, *items)


@pytest.mark.parametrize("error", [InputError("image.size is 5; raise it"), OSError(28, "No space left on device")])
def test_what_a_user_can_cause_is_one_line_and_exit_code_one(
    error: Exception, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)

    def main() -> None:
        raise error

    with pytest.raises(SystemExit) as caught:
        run(main, monkeypatch)
    assert caught.value.code == 1
    assert capsys.readouterr().err == f"split: {error}\n"
    assert not LOG.exists()


def test_nothing_is_computed_with_other_libraries_than_versions_txt_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("versions.txt").write_text("numpy==0.1\n")
    monkeypatch.setattr("pipeline.versions.VERSIONS", Path("versions.txt"))
    computed: list[int] = []
    with pytest.raises(SystemExit) as caught:
        run(lambda: computed.append(1), monkeypatch)
    assert (caught.value.code, computed) == (1, [])
    assert capsys.readouterr().err.startswith(f"split: numpy is {np.__version__} here and 0.1 in versions.txt")


def test_a_fault_of_ours_keeps_its_traceback(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    def main() -> None:
        raise ValueError("a bug")

    with pytest.raises(ValueError, match="a bug"):
        run(main, monkeypatch)


def test_elapsed_time_is_logged_with_the_matrix_items(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    given = []

    def main(class_name: str, seed: str) -> None:
        given.append((class_name, seed))

    for _ in range(2):
        run(main, monkeypatch, "--seed", "3", "--class", "benign", items=("class", "seed"))
    assert given == [("benign", "3")] * 2
    assert "split@benign-3: done in " in capsys.readouterr().out
    rows = list(csv.DictReader(LOG.read_text().splitlines()))
    assert [row["stage"] for row in rows] == ["split@benign-3"] * 2
    assert float(rows[0]["seconds"]) >= 0
    assert 10 < float(rows[0]["peak_mb"]) < 10_000


class Killed(BaseException):
    pass


def die_while_writing(output: AbstractContextManager[Path], write: Callable[[Path], object]) -> None:
    with output as partial:
        write(partial)
        raise Killed


def test_a_file_is_whole_or_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "file.txt"
    with replaced_file(path) as partial:
        partial.write_text("old")
    with pytest.raises(Killed):
        die_while_writing(replaced_file(path), lambda partial: partial.write_text("ne"))
    assert path.read_text() == "old"
    assert [entry.name for entry in path.parent.iterdir()] == ["file.txt"]


def test_a_directory_is_whole_or_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "folder"
    (tmp_path / ".folder.123.partial").mkdir()  # left by a run that was killed outright
    (tmp_path / ".folder.123.partial" / "rest").touch()
    with replaced_directory(path) as partial:
        (partial / "a").touch()
    with pytest.raises(Killed):
        die_while_writing(replaced_directory(path), lambda partial: (partial / "b").touch())
    assert [entry.name for entry in path.iterdir()] == ["a"]
    assert [entry.name for entry in tmp_path.iterdir()] == ["folder"]


def test_json_has_sorted_keys_and_no_nan(tmp_path: Path) -> None:
    write_json(tmp_path / "x.json", {"b": 1, "a": 2.5})
    assert (tmp_path / "x.json").read_text() == '{\n  "a": 2.5,\n  "b": 1\n}\n'
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json(tmp_path / "y.json", {"a": float("nan")})
    assert not (tmp_path / "y.json").exists()


def test_csv_keeps_every_digit_and_ids_as_text(tmp_path: Path) -> None:
    table = pd.DataFrame({"image_id": ["007", "1e3"], "probability": [1 / 3, 0.1 + 0.2]})
    write_csv(tmp_path / "t.csv", table)
    pd.testing.assert_frame_equal(read_csv(tmp_path / "t.csv"), table, check_exact=True)
    with pytest.raises(InputError, match=r"none\.csv does not exist; run the stage that writes it"):
        read_csv(tmp_path / "none.csv")


def test_seeds_of_other_names_differ() -> None:
    seeds = [derive_seed(0, "gan", "benign"), derive_seed(0, "gan", "malignant"), derive_seed(1, "gan", "benign")]
    assert len(set(seeds)) == 3
    assert derive_seed(0, "gan", "benign") == seeds[0]
    assert all(0 <= seed < 2**63 for seed in seeds)


@pytest.mark.parametrize("channels", [1, 3])
def test_images_are_resized_with_antialiasing(channels: int) -> None:
    board = (np.indices((64, 64)).sum(axis=0) % 2 * 255).astype(np.uint8)
    images = np.repeat(board[None, :, :, None], channels, axis=3)
    assert np.array_equal(at_size(images, 64), images)
    small = at_size(images, 16)
    assert small.shape == (1, 16, 16, channels)
    assert np.abs(small.astype(int) - 127).max() <= 3
    assert at_size(images[:0], 16).shape == (0, 16, 16, channels)


def test_rows_of_a_split_and_class() -> None:
    splits = pd.DataFrame({"row": [3, 0, 1, 2], "split": ["train", "train", "val", "train"], "target": [1, 0, 1, 0]})
    assert rows_of(splits, "train").tolist() == [0, 2, 3]
    assert rows_of(splits, "train", 0).tolist() == [0, 2]
    with pytest.raises(InputError, match=r"no malignant image in split test; give more images or change split\.test"):
        rows_of(splits, "test", 1)


def test_missing_packed_images_are_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"images\.npy does not exist"):
        open_images(tmp_path)
