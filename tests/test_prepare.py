import hashlib
import io
import zlib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import ExifTags, Image, PngImagePlugin

import pipeline.packing
from pipeline.decoding import Geometry, Task, decode
from pipeline.errors import InputError
from pipeline.packing import Files, Folders, pack
from pipeline.params.image import ImageParams
from pipeline.prepare import IMAGES, REDUCED, REPORT, main
from pipeline.store import read_json

SIZE = 16
PARAMS = """
source: {{here: {{metadata: none, images: photos, masks: {masks}, columns: {{}}, labels: {{}}}}}}
image: {{size: 16, channels: 3, fit: crop, max_unreadable: {max_unreadable}}}
"""


def picture(width: int = 48, height: int = 32, seed: int = 0) -> Image.Image:
    """A smooth colour picture."""
    noise = np.random.default_rng(seed).integers(0, 256, (4, 5, 3), dtype=np.uint8)
    return Image.fromarray(noise).resize((width, height), Image.Resampling.BICUBIC)


def encoded(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def decode_bytes(folder: Path, content: bytes, fit: str = "crop", channels: int = 3, size: int = SIZE):
    path = folder / "x.jpg"
    path.write_bytes(content)
    return decode(Task(path, (), Geometry(size, channels, fit)))


def pixels_of(folder: Path, image: Image.Image, kind: str = "PNG", **options: object) -> np.ndarray:
    decoded = decode_bytes(folder, encoded(image, kind, **options))
    assert decoded.reason == ""
    return decoded.pixels.astype(int)


GREY = Image.new("RGB", (32, 32), (102, 102, 102))


@pytest.mark.parametrize(
    "image",
    [
        GREY,
        GREY.convert("L"),
        GREY.convert("P"),
        GREY.convert("RGBA"),
        GREY.convert("LA"),
        Image.fromarray(np.full((32, 32), 102 * 257, np.uint16)),
    ],
    ids=["RGB", "L", "P", "RGBA", "LA", "16-bit"],
)
@pytest.mark.parametrize("channels", [1, 3])
def test_every_kind_of_pixel_becomes_the_same_eight_bits(tmp_path, image, channels):
    decoded = decode_bytes(tmp_path, encoded(image), channels=channels)
    assert decoded.pixels.shape == (SIZE, SIZE, channels)
    assert decoded.pixels.dtype == np.uint8
    assert (decoded.pixels == 102).all()


def test_cmyk_becomes_its_colour(tmp_path):
    pixels = pixels_of(tmp_path, Image.new("CMYK", (32, 32), (0, 255, 255, 0)), "JPEG", quality=95)
    assert (abs(pixels - [255, 0, 0]) < 12).all()


def test_what_is_transparent_lies_on_black(tmp_path):
    assert (pixels_of(tmp_path, Image.new("RGBA", (32, 32), (200, 100, 50, 0))) == 0).all()


def test_the_files_name_does_not_matter(tmp_path):
    assert (pixels_of(tmp_path, GREY, "BMP") == 102).all()  # in a file called x.jpg


STORED = {  # by EXIF orientation: how the upright picture lies in the file
    1: None,
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


def stored(image: Image.Image, orientation: int) -> Image.Image:
    turn = STORED[orientation]
    return image if turn is None else image.transpose(turn)


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
@pytest.mark.parametrize("orientation", STORED)
def test_every_exif_orientation_is_made_upright(tmp_path, kind, orientation):
    image = picture(48, 32)
    exif = Image.Exif()
    exif[0x0112] = orientation
    upright = pixels_of(tmp_path, stored(image, orientation), kind, exif=exif)
    assert abs(upright - pixels_of(tmp_path, image, kind)).mean() < 3


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_an_orientation_survives_transparency_and_sixteen_bits(tmp_path, kind):
    exif = Image.Exif()
    exif[0x0112] = 6
    for image in (
        picture().convert("RGBA"),
        Image.fromarray(np.asarray(picture().convert("L")).astype(np.uint16) * 257),
    ):
        lying = pixels_of(tmp_path, stored(image, 6), kind, exif=exif)
        assert (lying == pixels_of(tmp_path, image, kind)).all()


@pytest.mark.parametrize("orientation", [1, 6])
@pytest.mark.parametrize("drawn_on", ["upright", "stored"])
def test_a_mask_is_aligned_whichever_way_it_was_drawn(tmp_path, orientation, drawn_on):
    """The upright picture is bright where its mask is, in the upper left."""
    lesion = Image.new("L", (48, 32))
    lesion.paste(255, (8, 0, 24, 16))
    exif = Image.Exif()
    exif[0x0112] = orientation
    (tmp_path / "x.png").write_bytes(encoded(stored(lesion.convert("RGB"), orientation), exif=exif))
    mask = stored(lesion, orientation) if drawn_on == "stored" else lesion
    (tmp_path / "m.png").write_bytes(encoded(mask.resize((mask.width * 2, mask.height * 2))))
    decoded = decode(Task(tmp_path / "x.png", (tmp_path / "m.png",), Geometry(SIZE, 3, "crop")))
    assert decoded.mask_reason == ""
    assert ((decoded.pixels[..., 0] > 127) == (decoded.mask > 0)).mean() > 0.95
    assert decoded.mask[: SIZE // 2, : SIZE // 2].mean() > 240


def test_a_mask_of_another_shape_is_not_taken(tmp_path):
    (tmp_path / "x.png").write_bytes(encoded(picture(48, 32)))
    (tmp_path / "m.png").write_bytes(encoded(Image.new("L", (48, 48), 255)))
    decoded = decode(Task(tmp_path / "x.png", (tmp_path / "m.png",), Geometry(SIZE, 3, "crop")))
    assert decoded.pixels is not None
    assert decoded.mask is None
    assert decoded.mask_reason == "of another shape: 48x48 for 48x32"


def test_crop_takes_the_centre_square_and_squash_takes_all(tmp_path):
    image = Image.new("RGB", (96, 32), "black")
    image.paste((255, 255, 255), (32, 0, 64, 32))
    cropped = decode_bytes(tmp_path, encoded(image), fit="crop").pixels
    squashed = decode_bytes(tmp_path, encoded(image), fit="squash").pixels
    assert (cropped == 255).all()
    assert 0.25 < (squashed > 128).mean() < 0.42


def test_draft_scaling_shows_the_same_picture(tmp_path):
    image = picture(800, 600)
    drafted = decode_bytes(tmp_path, encoded(image, "JPEG", quality=95), fit="squash").pixels.astype(int)
    plain = np.asarray(image.resize((SIZE, SIZE), Image.Resampling.BICUBIC)).astype(int)
    assert abs(drafted - plain).mean() < 2


def test_draft_scaling_never_goes_below_the_target(tmp_path):
    stripes = np.zeros((64, 64, 3), np.uint8)
    stripes[:, ::8] = stripes[:, 1::8] = stripes[:, 2::8] = stripes[:, 3::8] = 255
    content = encoded(Image.fromarray(stripes), "JPEG", quality=95)
    assert decode_bytes(tmp_path, content, size=32).pixels.std() > 100  # decoded at 16 px they would be gray


def bomb() -> bytes:
    """A small PNG whose header promises 30000x30000 pixels."""
    content = bytearray(encoded(Image.new("1", (8, 8))))
    content[16:24] = (30000).to_bytes(4, "big") * 2
    checksum = zlib.crc32(bytes(content[12:29]))
    content[29:33] = checksum.to_bytes(4, "big")
    return bytes(content)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty"),
        (b"<html><body>404</body></html>", "not an image"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "not an image"),
        (encoded(picture(), "JPEG")[:-200], "broken: "),
        (encoded(picture())[:200], "broken: "),
        (bomb(), "too large: "),
        (encoded(Image.new("F", (8, 8)), "TIFF"), "broken: floating-point"),
    ],
    ids=["empty", "html", "eps", "truncated-jpeg", "truncated-png", "bomb", "float"],
)
def test_a_damaged_file_is_a_reason_and_no_exception(tmp_path, content, reason):
    decoded = decode_bytes(tmp_path, content)
    assert decoded.pixels is None
    assert decoded.reason.startswith(reason)
    assert decoded.sha256 == hashlib.sha256(content).hexdigest()


def test_a_missing_file_and_a_folder_are_missing(tmp_path):
    for path in (tmp_path / "none.jpg", tmp_path, tmp_path / ("long" * 100)):
        assert decode(Task(path, (), Geometry(SIZE, 3, "crop"))).reason.split(":")[0] in ("missing", "unreadable")


def write_photos(folder: Path, count: int) -> pd.DataFrame:
    folder.mkdir(parents=True)
    files = [f"{number:03d}.png" for number in range(count)]
    for number, name in enumerate(files):
        (folder / name).write_bytes(encoded(picture(seed=number)))
    ids = [name.removesuffix(".png") for name in files]
    hashes = [hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in files]
    return pd.DataFrame({"image_id": ids, "file": files, "sha256": hashes})


@pytest.fixture
def reduced(tmp_path, monkeypatch) -> pd.DataFrame:
    """Ten photos in a working directory of their own."""
    monkeypatch.chdir(tmp_path)
    return write_photos(Path("photos"), 10).assign(dataset="here")


def run_main(reduced: pd.DataFrame, masks: str = "null", max_unreadable: float = 0.3) -> dict:
    Path("params.yaml").write_text(PARAMS.format(masks=masks, max_unreadable=max_unreadable))
    REDUCED.parent.mkdir(exist_ok=True)
    reduced.to_csv(REDUCED, index=False)
    main()
    return read_json(REPORT)


def outputs() -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in [*sorted(IMAGES.iterdir()), REPORT]}


def test_main_packs_in_order_and_writes_the_same_bytes_twice(reduced):
    report = run_main(reduced)
    first = outputs()
    run_main(reduced)
    assert outputs() == first
    assert sorted(first) == [
        *("geometry.json", "images.npy", "manifest.csv", "prepare.json", "quarantine.csv", "thumbnails.npy")
    ]
    assert read_json(IMAGES / "geometry.json") == {"size": SIZE, "channels": 3, "fit": "crop"}
    packed = np.load(IMAGES / "images.npy")
    buffer = io.BytesIO()
    np.save(buffer, packed)
    assert buffer.getvalue() == first["images.npy"]
    manifest = pd.read_csv(IMAGES / "manifest.csv", dtype=str)
    assert manifest.columns.tolist() == ["row", "image_id", "file", "bytes", "sha256", "phash"]
    assert manifest["sha256"].tolist() == reduced["sha256"].tolist()
    assert manifest["row"].tolist() == [str(number) for number in range(10)]
    assert packed.shape == (10, SIZE, SIZE, 3)
    crop = picture(seed=4).crop((8, 0, 40, 32)).resize((SIZE, SIZE), Image.Resampling.BICUBIC)
    assert (packed[4] == np.asarray(crop)).all()
    assert report == {"images": 10, "packed": 10, "quarantined": {}, "masks": None, "private_fields": {}}


def test_what_a_file_says_of_persons_and_places_is_counted_and_goes_nowhere(reduced):
    exif = Image.Exif()
    exif[ExifTags.Base.Artist] = "Jane Doe"
    exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.UserComment] = b"ASCII\0\0\0    "  # as cameras fill it up
    exif.get_ifd(ExifTags.IFD.GPSInfo)[1] = "N"
    text = PngImagePlugin.PngInfo()
    text.add_text("Author", "Jane Doe")
    files = sorted(Path("photos").iterdir())[:3]
    contents = [encoded(picture(), "JPEG", exif=exif)] * 2 + [encoded(picture(), "PNG", pnginfo=text)]
    for file, content in zip(files, contents, strict=True):
        file.write_bytes(content)
    report = run_main(reduced.assign(sha256=""))
    assert report["private_fields"] == {"Artist": 2, "GPS position": 2, "text 'Author'": 1}
    assert report["packed"] == 10
    assert not any(b"Jane" in content for content in outputs().values())


def test_damaged_exif_costs_no_picture(tmp_path):
    exif = Image.Exif()
    exif[ExifTags.Base.Artist] = "Jane Doe"
    Image.new("RGB", (20, 20)).save(tmp_path / "a.jpg", exif=exif)
    content = (tmp_path / "a.jpg").read_bytes()
    for damaged in range(content.index(b"Exif\0\0") + 6, content.index(b"Jane Doe") + 7):
        (tmp_path / "a.jpg").write_bytes(content[:damaged] + b"\xff\xff" + content[damaged + 2 :])
        assert decode(Task(tmp_path / "a.jpg", (), Geometry(16, 3, "crop"))).pixels is not None


def test_damaged_files_are_listed_and_the_rows_close_up(reduced):
    Path("photos/002.png").write_bytes(b"")
    Path("photos/003.png").unlink()
    Path("photos/005.png").write_bytes(b"<html>")
    report = run_main(reduced.assign(sha256=""))
    assert report["quarantined"] == {"empty": 1, "missing": 1, "not an image": 1}
    assert report["packed"] + sum(report["quarantined"].values()) == report["images"] == 10
    quarantine = pd.read_csv(IMAGES / "quarantine.csv", dtype=str)
    assert quarantine.to_numpy().tolist() == [
        ["002", "002.png", "empty"],
        ["003", "003.png", "missing"],
        ["005", "005.png", "not an image"],
    ]
    manifest = pd.read_csv(IMAGES / "manifest.csv", dtype=str)
    assert manifest["image_id"].tolist() == ["000", "001", "004", "006", "007", "008", "009"]
    assert len(np.load(IMAGES / "images.npy")) == 7


def test_the_result_does_not_depend_on_the_number_of_workers(reduced, monkeypatch):
    monkeypatch.setattr(pipeline.packing, "BYTES_PER_WORKER", 1)
    image = ImageParams(size=SIZE, channels=3, fit="crop", max_unreadable=0.3)
    files = Files(image, {"here": Folders("source.here", "photos", None)})
    reports = []
    for workers in (1, 2):
        Path(f"out{workers}").mkdir()
        reports.append(pack(reduced, files, Path(f"out{workers}"), workers))
    assert reports[0] == reports[1]
    for path in Path("out1").iterdir():
        assert path.read_bytes() == (Path("out2") / path.name).read_bytes()


def test_a_file_that_is_not_the_one_of_the_metadata_is_refused(reduced):
    Path("photos/004.png").write_bytes(encoded(picture(seed=99)))
    with pytest.raises(InputError, match=r"^004\.png has changed: .*dvc repro -s -f phantom`\) and run `dvc repro`$"):
        run_main(reduced)
    assert not IMAGES.exists()


def test_too_many_unreadable_files_are_refused_with_share_names_and_remedy(reduced):
    for number in range(4):
        Path(f"photos/{number:03d}.png").unlink()
    with pytest.raises(
        InputError, match=r"4 of 10 files \(40\.0%\) .*image\.max_unreadable is 0\.3.*000\.png \(missing\)"
    ):
        run_main(reduced)


def test_an_images_folder_that_is_absent_or_wrong_is_named(reduced):
    with pytest.raises(InputError, match=r"none of the 10 files is in source\.here\.images photos, not even x0\.png"):
        run_main(reduced.assign(file=[f"x{number}.png" for number in range(10)]))
    with pytest.raises(InputError, match=r"source\.here\.masks is nowhere, which is no folder"):
        run_main(reduced, masks="nowhere")
    Path("photos").rename("elsewhere")
    with pytest.raises(InputError, match=r"source\.here\.images is photos, which is no folder"):
        run_main(reduced)


def test_masks_follow_the_image_and_are_zero_where_there_is_none(reduced):
    Path("masks").mkdir()
    right_half = np.zeros((32, 48), np.uint8)
    right_half[:, 24:] = 1  # some archives write 0/1
    Image.fromarray(right_half).save("masks/000_segmentation.png")
    Image.fromarray(right_half * 255).save("masks/001.png")
    Path("masks/002.png").write_bytes(b"no mask")
    report = run_main(reduced, masks="masks")
    assert report["masks"] == {"found": 2, "not an image": 1, "missing": 7}
    masks = np.load(IMAGES / "masks.npy")
    assert masks.shape == (10, SIZE, SIZE)
    assert set(np.unique(masks)) == {0, 255}
    for mask in masks[:2]:
        assert (mask[:, : SIZE // 2] == 0).all()
        assert (mask[:, SIZE // 2 :] == 255).all()
    assert not masks[2:].any()
