"""What is installed is what versions.txt says, or nothing is computed."""

from pathlib import Path

import numpy as np
import pytest

from pipeline import versions
from pipeline.errors import InputError


@pytest.fixture
def listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(versions, "VERSIONS", tmp_path / "versions.txt")
    return tmp_path / "versions.txt"


def test_the_locked_versions_are_installed() -> None:
    versions.check_versions()


def test_another_version_is_one_sentence(listed: Path) -> None:
    listed.write_text("numpy==0.1\npillow==0.2\n")
    with pytest.raises(InputError) as caught:
        versions.check_versions()
    message = str(caught.value)
    assert message.startswith(f"numpy is {np.__version__} here and 0.1 in versions.txt; pillow is ")
    assert message.endswith("write into versions.txt what is here, and all that rests on it runs again")
    assert "\n" not in message


def test_what_is_for_another_python_or_not_installed_is_passed_over(listed: Path) -> None:
    of_python = "numpy==0.1 ; python_full_version < '3'\nnumpy=={} ; python_full_version >= '3'\nno-such-library==1\n"
    listed.write_text(of_python.format(np.__version__))
    versions.check_versions()


def test_a_build_of_the_same_version_passes(listed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    listed.write_text("torch==2.15.0\n")
    monkeypatch.setattr(versions, "version", lambda name: "2.15.0+cu130")
    versions.check_versions()
