"""Images made elsewhere: put to the same gate, scores and verdict as a generator's."""

import hashlib
from pathlib import Path

import numpy as np
import pytest
import yaml
from PIL import Image

from pipeline import check_params, sample, synthesize, train_gan
from pipeline.errors import InputError

CHECKPOINT = Path("data/checkpoints/gan/malignant/0")


def write_folder(images: np.ndarray, name: str = "mine") -> Path:
    """PNGs in a folder named after them."""
    folder = Path("data/raw") / name
    folder.mkdir(parents=True)
    digest = hashlib.sha256()
    for number, image in enumerate(images):
        file = folder / f"{number:05d}.png"
        Image.fromarray(image).save(file)
        digest.update(f"{file.name} {hashlib.sha256(file.read_bytes()).hexdigest()}\n".encode())
    return folder.rename(folder.with_name(f"{name}-{digest.hexdigest()[:8]}"))


def choose(params: dict, folder: Path | None) -> None:
    params["gan"]["variant"] = "folder"
    params["gan"]["variants"]["folder"] |= {"benign": str(folder), "malignant": folder and str(folder)}
    Path("params.yaml").write_text(yaml.safe_dump(params))


@pytest.fixture
def fresh() -> np.ndarray:
    return np.random.default_rng(5).integers(0, 255, (30, 32, 32, 3), dtype=np.uint8)


def test_the_images_are_drawn_as_they_are_each_once(fresh, experiment) -> None:
    choose(experiment(), write_folder(fresh))
    train_gan.main("malignant", "0")
    synthesize.main("malignant", "0")
    assert np.array_equal(np.load("data/synthetic/malignant/0/images.npy"), fresh[:20])
    sample.write_samples(CHECKPOINT, 30, Path("out"), 0)
    drawn = [np.asarray(Image.open(path)) for path in sorted(Path("out").iterdir())]
    assert np.array_equal(np.stack(drawn), fresh)
    for count in (40, 70):  # within the first batch, and beyond it
        with pytest.raises(InputError, match=f"--count is {count}, and there are no more images than those now in"):
            sample.write_samples(CHECKPOINT, count, Path(f"more_{count}"), 0)
        assert len(list(Path(f"more_{count}").iterdir())) == 30


def test_they_take_the_way_of_every_other_image(fresh, experiment) -> None:
    """Wider than high, larger and gray: cropped, resized, in colour."""
    params = experiment()
    choose(params, write_folder(np.repeat(fresh[:, :, :, 0], 2, axis=2)))
    train_gan.main("malignant", "0")
    synthesize.main("malignant", "0")
    drawn = np.load("data/synthetic/malignant/0/images.npy")
    assert drawn.shape == (20, 32, 32, 3)
    assert np.array_equal(drawn[..., 0], drawn[..., 2])
    assert np.array_equal(drawn[..., 0], np.repeat(fresh[:20, :, :, 0], 2, axis=2)[:, :, 16:48])


def test_copies_of_training_images_are_stopped_by_the_gate(experiment) -> None:
    params = experiment()
    images = np.load("data/images/images.npy")[:45]
    params["synthesize"]["count"] = 25
    choose(params, write_folder(images))
    train_gan.main("malignant", "0")
    with pytest.raises(InputError, match=r"of 45 images drawn only 15 stay .* and 25 are wanted; give more images"):
        synthesize.main("malignant", "0")  # the first 30 are training images, malignant ones and benign ones


def test_any_budget_comes_to_an_end(fresh, experiment) -> None:
    params = experiment()
    params["gan"]["train"]["kimg"] = 16.1  # in floating point a little more than 16,100 images
    choose(params, write_folder(fresh))
    train_gan.main("malignant", "0")
    assert CHECKPOINT.is_dir()


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        (lambda folder: (folder / "new.png").write_bytes((folder / "00000.png").read_bytes()), "must end in the first"),
        (lambda folder: (folder / "note.txt").write_text("mine"), "note.txt in it is not an image; remove it"),
        (lambda folder: [file.unlink() for file in folder.iterdir()], "which holds no file"),
    ],
)
def test_a_folder_that_is_not_what_its_name_says_is_refused(harm, said: str, fresh, experiment) -> None:
    folder = write_folder(fresh)
    choose(experiment(), folder)
    harm(folder)
    with pytest.raises(InputError, match=said):
        train_gan.main("malignant", "0")
    assert not CHECKPOINT.exists()


def test_a_folder_that_is_missing_is_said_at_once(experiment) -> None:
    params = experiment()
    choose(params, Path("data/raw/absent"))
    with pytest.raises(InputError, match=r"gan.variants.folder.malignant is data/raw/absent, which does not exist"):
        check_params.main()
    params["gan"]["variants"]["folder"]["malignant"] = None
    Path("params.yaml").write_text(yaml.safe_dump(params))
    with pytest.raises(InputError, match=r"folder.malignant is null and gan.classes has malignant; give a folder"):
        check_params.main()
