"""Which images were used and whose they are; and whether a folder still holds them."""

import hashlib
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from pipeline import manifest
from pipeline.errors import InputError
from pipeline.verify import verify

ROOT = Path(__file__).parent.parent


@pytest.fixture
def written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> pd.DataFrame:
    """Six records: two used, one of which is not for sale, and each other way to be in no split."""
    monkeypatch.chdir(tmp_path)
    names = ["used", "sold", "broken", "left", "unsure", "painted"]
    metadata = pd.DataFrame({"image_id": names, "file": [f"{name}.jpg" for name in names], "sha256": "said"})
    metadata["label"] = ["benign", "malignant", "benign", "benign", "indeterminate", "benign"]
    metadata["image_type"] = [""] * 5 + ["synthetic"]
    metadata["licence"] = ["CC-0", "CC-BY-NC", "", "", "", ""]
    metadata["attribution"] = ["A | B", "A clinic", "", "", "", ""]
    metadata["dataset"] = "clinic"
    metadata["origin"] = [f"all.csv line {number}" for number in range(2, 8)]
    tables = {
        "data/metadata.csv": metadata,
        "data/reduced.csv": metadata.iloc[:3],
        "data/images/manifest.csv": pd.DataFrame({"image_id": ["used", "sold"], "sha256": ["u", "s"], "bytes": [7, 8]}),
        "data/images/quarantine.csv": pd.DataFrame({"image_id": ["broken"], "reason": ["not an image"]}),
        "data/splits.csv": pd.DataFrame({"image_id": ["used", "sold"], "split": ["train", "test"]}),
    }
    Path("data/images").mkdir(parents=True)
    for path, table in tables.items():
        table.to_csv(path, index=False)
    manifest.main()
    return pd.read_csv(manifest.MANIFEST, dtype=str, keep_default_na=False).set_index("image_id")


def test_every_record_has_its_outcome(written: pd.DataFrame) -> None:
    assert written["outcome"].to_dict() == {
        "used": "train",
        "sold": "test",
        "broken": "not an image",
        "left": "not chosen",
        "unsure": "indeterminate",
        "painted": "synthetic",
    }
    assert written.loc["used"].tolist() == ["used.jpg", "u", "7", "CC-0", "A | B", "all.csv line 2", "clinic", "train"]
    assert written.loc["left", ["sha256", "bytes"]].tolist() == ["said", ""]


def test_those_to_credit_are_listed_with_a_warning(written: pd.DataFrame) -> None:
    text = manifest.ATTRIBUTION.read_text()
    assert "2 of 6 images are used" in text
    assert "1 of them may not be used commercially." in text
    assert r"| CC-0 | A \| B | 1 |" in text
    assert "not stated" not in text  # of images that are not used


def folder_of(tmp_path: Path, contents: dict[str, bytes]) -> Path:
    images = tmp_path / "images"
    images.mkdir()
    for name, content in contents.items():
        (images / name).write_bytes(content)
    rows = [{"file": name, "sha256": hashlib.sha256(content).hexdigest()} for name, content in contents.items()]
    pd.DataFrame(rows).to_csv(tmp_path / "manifest.csv", index=False)
    return images


def test_a_folder_is_compared_byte_for_byte(tmp_path: Path) -> None:
    images = folder_of(tmp_path, {"a.jpg": b"a", "b.jpg": b"b", "c.jpg": b"c"})
    assert verify(tmp_path / "manifest.csv", images) == (["a.jpg", "b.jpg", "c.jpg"], [], [], [])
    (images / "b.jpg").write_bytes(b"B")
    (images / "c.jpg").unlink()
    assert verify(tmp_path / "manifest.csv", images) == (["a.jpg"], ["c.jpg"], ["b.jpg"], [])
    command = [sys.executable, "-m", "pipeline.verify", "--manifest", tmp_path / "manifest.csv", "--images", images]
    said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert said.returncode == 1
    assert said.stderr.endswith(
        "verify: 1 missing (c.jpg); 1 different (b.jpg); download those again, or run the pipeline on what is there\n"
    )


def test_a_manifest_that_leaves_the_folder_is_refused(tmp_path: Path) -> None:
    images = folder_of(tmp_path, {"a.jpg": b"a"})
    pd.DataFrame({"file": ["../a.jpg"], "sha256": [""]}).to_csv(tmp_path / "manifest.csv", index=False)
    with pytest.raises(InputError, match=r"names the file '../a.jpg', which may lie outside"):
        verify(tmp_path / "manifest.csv", images)
    pd.DataFrame({"name": ["a.jpg"]}).to_csv(tmp_path / "manifest.csv", index=False)
    with pytest.raises(InputError, match="has no column file or sha256"):
        verify(tmp_path / "manifest.csv", images)
