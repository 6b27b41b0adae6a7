"""Downloads from a local server that pages, throttles, breaks off and sends nonsense as real ones do."""

import csv
import hashlib
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pipeline.download import download
from pipeline.errors import InputError
from pipeline.isic_archive.listing import Listing, Wanted
from pipeline.isic_archive.transfers import Transfers
from pipeline.isic_archive.web import RefusedError, Web
from pipeline.params.source import ImageSet
from tests.archive_server import Archive, running
from tests.sources import ingested

ROOT = Path(__file__).parent.parent
ALL = Wanted("", "", "full", None)
JOBS = 8


def fetch(archive: Archive, folder: Path, wanted: Wanted = ALL) -> None:
    download(folder, archive.api, wanted, Web(10_000, JOBS, pause=0.001), JOBS)


def check_complete(archive: Archive, folder: Path) -> None:
    """Every image byte for byte, nothing else, and papers of all of them."""
    expected = {isic_id: body for isic_id, body in archive.bodies.items() if isic_id not in archive.without}
    assert {path.stem: path.read_bytes() for path in (folder / "images").iterdir()} == expected
    with (folder / "metadata.csv").open(newline="") as file:
        rows = {row["isic_id"]: row for row in csv.DictReader(file)}
    assert list(rows) == sorted(expected)
    assert all(row["sha256"] == hashlib.sha256(expected[name]).hexdigest() for name, row in rows.items())


def test_everything_arrives_whatever_the_server_does(tmp_path: Path) -> None:
    with running(Archive(260)) as archive:
        fetch(archive, tmp_path / "isic")
        check_complete(archive, tmp_path / "isic")
        assert set(archive.served.values()) == {1}
    assert (tmp_path / "isic/attribution.txt").read_text() == "Clinic 0\nClinic 1\n"
    assert {path.name for path in (tmp_path / "isic/licenses").iterdir()} == {"CC-0.txt", "CC-BY.txt", "CC-BY-NC.txt"}


def test_ingest_reads_what_was_downloaded(tmp_path: Path) -> None:
    with running(Archive(120, faults=())) as archive:
        fetch(archive, tmp_path)
        source = {"metadata": str(tmp_path / "metadata.csv"), "images": str(tmp_path / "images")}
        table, report = ingested(ImageSet(**source, columns={}, labels={}))
        assert report["records"] == len(table) == 117
        assert report["label"] == {"benign": 87, "malignant": 30}
        assert all((tmp_path / "images" / name).is_file() for name in table["file"])
        assert table["sha256"].str.len().eq(64).all()
        assert set(table["licence"]) == {"CC-0", "CC-BY", "CC-BY-NC"}


def test_a_second_run_fetches_nothing(tmp_path: Path) -> None:
    with running(Archive(120)) as archive:
        fetch(archive, tmp_path)
        asked = archive.asked
        fetch(archive, tmp_path)
        assert archive.asked == asked


def test_an_image_whose_note_was_cut_off_is_noted_anew_and_not_fetched_again(tmp_path: Path) -> None:
    with running(Archive(20, faults=())) as archive:
        fetch(archive, tmp_path)
        journal = tmp_path / ".download/sha256.csv"
        journal.write_text(journal.read_text()[:-30])
        asked = archive.asked
        web = Web(10_000, JOBS, pause=0.001)
        listing = Listing(tmp_path, archive.api, ALL)
        found = Transfers(tmp_path, listing, web).present([file for file in listing.files() if file.url])
        assert archive.asked == asked
    assert {name: outcome.sha256 for name, outcome in found.items()} == {
        name: hashlib.sha256(body).hexdigest() for name, body in archive.bodies.items() if name not in archive.without
    }


def test_a_query_and_a_limit(tmp_path: Path) -> None:
    with running(Archive(260, faults=(), without=1000)) as archive:
        fetch(archive, tmp_path / "query", Wanted("ISIC_00001", "", "thumbnail_256", None))
        assert {path.stem for path in (tmp_path / "query/images").iterdir()} == set(archive.ids[100:200])
        fetch(archive, tmp_path / "limit", Wanted("", "", "full", 130))
        assert len(list((tmp_path / "limit/images").iterdir())) == 129  # one of the 130 has no image


def test_a_folder_is_for_one_thing(tmp_path: Path) -> None:
    with running(Archive(10, faults=())) as archive:
        fetch(archive, tmp_path)
        with pytest.raises(InputError, match=r"was begun with --size 'full'; go on with that, or give another --out"):
            fetch(archive, tmp_path, Wanted("", "", "thumbnail_256", None))


def test_what_does_not_arrive_is_said_and_the_rest_kept(tmp_path: Path) -> None:
    with running(Archive(40, faults=())) as archive:
        archive.bodies["ISIC_0000003"] = b"<html>gone</html>"
        with pytest.raises(InputError, match=r"1 images did not arrive \(ISIC_0000003: no image arrives, but b'<html>"):
            fetch(archive, tmp_path)
        assert len(list((tmp_path / "images").iterdir())) == 38
        archive.bodies["ISIC_0000003"] = archive.bodies["ISIC_0000004"]
        with pytest.raises(InputError, match=r"bytes arrive, and the record says 17"):
            fetch(archive, tmp_path)


def test_a_server_that_is_down_is_one_line(tmp_path: Path) -> None:
    with running(Archive(1)) as archive:
        api = archive.api
    with pytest.raises(InputError, match=r"page 0 of the list of images did not come: no answer in 8 tries"):
        download(tmp_path, api, ALL, Web(1000, 2, pause=0.001), 2)


def test_the_rate_is_kept() -> None:
    with running(Archive(1, faults=())) as archive:
        web = Web(20, 1)
        began = time.monotonic()
        for _ in range(11):
            web.get(f"{archive.api}images/ISIC_0000000/")
        assert time.monotonic() - began >= 0.5


def test_no_record_names_a_file_outside_the_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with running(Archive(3, faults=(), without=1000)) as archive:
        archive.ids[1] = "../ISIC_0000001"
        archive.bodies[archive.ids[1]] = archive.bodies["ISIC_0000001"]
        fetch(archive, tmp_path / "isic")
    assert {path.name for path in (tmp_path / "isic/images").iterdir()} == {"ISIC_0000000.jpg", "ISIC_0000002.jpg"}
    assert not (tmp_path / "isic/ISIC_0000001.jpg").exists()
    assert "0 records have no image, 1 have an id that can be no file's name" in capsys.readouterr().out


def test_nonsense_is_no_page() -> None:
    with running(Archive(1, faults=())) as archive, pytest.raises(RefusedError, match="the answer is no JSON"):
        Web(1000, 1).get_json(archive.api.replace("api/v2/", "storage/ISIC_0000000.jpg"))


def killed_again_and_again(archive: Archive, folder: Path, kills: int, longest: float) -> None:
    """Runs the command, kills it after a random time, and so on; then lets it end."""
    command = [sys.executable, "-m", "pipeline.download", "--out", str(folder), "--api", archive.api]
    command += ["--pause", "0.001", "--rate", "10000", "--jobs", str(JOBS)]
    chance = random.Random(0)
    for _ in range(kills):
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
            asked = archive.asked
            while archive.asked == asked and process.poll() is None:
                time.sleep(0.01)
            time.sleep(chance.uniform(0, longest))
            process.send_signal(signal.SIGKILL)
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env=os.environ)
    assert done.returncode == 0, done.stderr
    check_complete(archive, folder)
    assert not list(folder.rglob("*.partial"))
    again = sum(times - 1 for times in archive.served.values())
    assert again <= kills * JOBS  # what was on its way when the process was killed


def test_a_killed_download_goes_on_where_it_was(tmp_path: Path) -> None:
    with running(Archive(300)) as archive:
        killed_again_and_again(archive, tmp_path / "isic", kills=3, longest=0.2)


@pytest.mark.proof
def test_a_thousand_images_survive_twenty_kills(tmp_path: Path) -> None:
    with running(Archive(1000)) as archive:
        killed_again_and_again(archive, tmp_path / "isic", kills=20, longest=0.25)
