"""Translators: what they are given, what they minimise, and that pairs stay together."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
import yaml
from PIL import Image

from models.generators.cyclegan import reconstruction_losses
from models.generators.translators import PatchNetwork
from pipeline import sample, synthesize, train_gan
from pipeline.checkpoints import read_built_with
from pipeline.draw_translations import comparison, draw_translations
from pipeline.errors import InputError
from pipeline.params.document import mistakes
from pipeline.sources import read_sources
from pipeline.trained_generator import TrainedGenerator
from pipeline.training.translator import ImagePool
from tests.test_adversarial import stir
from tests.test_train_gan import moved, new_run, started, weights
from tests.variants import TRANSLATORS, built, told

CHECKPOINT = Path("data/checkpoints/gan/malignant/0")
CPU = torch.device("cpu")


def chosen(params: dict[str, Any], variant: str, **settings: Any) -> None:
    """Puts a variant into the working directory's params.yaml."""
    params["gan"]["variant"] = variant
    params["gan"]["variants"][variant] |= settings
    Path("params.yaml").write_text(yaml.safe_dump(params))


@pytest.mark.parametrize("name", TRANSLATORS)
def test_losses_are_named_and_per_sample_and_every_parameter_gets_a_gradient(
    name: str, smoke_params: dict[str, Any]
) -> None:
    variant = built(name, smoke_params)
    for network in (variant.generator, variant.companions, variant.discriminator):
        stir(network)
    sources, targets = told(variant, 4), torch.rand(4, 3, 32, 32) * 2 - 1
    z = variant.latents(4, torch.Generator().manual_seed(0))
    terms, fakes = variant.generator_loss(variant.discriminator, sources, targets, z)
    assert all(term.shape == (4,) for term in terms.values())
    torch.stack([term.mean() for term in terms.values()]).sum().backward()
    for network in (variant.generator, variant.companions):
        for parameter_name, parameter in network.named_parameters():
            assert parameter.grad is not None, parameter_name
            assert parameter.grad.abs().sum() > 0, parameter_name
    variant.discriminator.zero_grad()
    terms = variant.discriminator_loss(variant.discriminator, sources, targets, [fake.detach() for fake in fakes])
    assert all(term.shape == (4,) for term in terms.values())
    torch.stack([weight * term.mean() for weight, term in enumerate(terms.values(), 1)]).sum().backward()
    for parameter_name, parameter in variant.discriminator.named_parameters():
        assert parameter.grad is not None, parameter_name
        assert parameter.grad.abs().sum() > 0, parameter_name


@pytest.mark.parametrize("name", TRANSLATORS)
def test_a_step_moves_every_network_and_leaves_the_discriminator_ready(name: str, experiment) -> None:
    run = new_run(experiment(), name)
    networks = [run.variant.generator, run.variant.discriminator]
    networks += [run.variant.companions] if list(run.variant.companions.parameters()) else []
    before = [weights(network) for network in networks]
    run.step()
    assert all(moved(*pair) for pair in zip(before, networks, strict=True))
    assert all(parameter.requires_grad for parameter in run.variant.discriminator.parameters())


@pytest.mark.parametrize("name", TRANSLATORS)
def test_the_source_decides_what_is_drawn(name: str, smoke_params: dict[str, Any]) -> None:
    variant = built(name, smoke_params)
    stir(variant.generator)
    sources = told(variant, 2)
    z = torch.zeros(2, variant.latent_dim)
    drawn = variant.generator.eval()(z, sources)
    assert not torch.allclose(drawn[0], drawn[1], atol=1e-3)
    assert torch.allclose(variant.generator(z, sources[:1].expand(2, -1, -1, -1))[1], drawn[0], atol=1e-5)


@pytest.mark.parametrize(("name", "term"), [("pix2pix", "l1"), ("cyclegan", "cycle")])
def test_steps_bring_translations_nearer(name: str, term: str, experiment) -> None:
    params = experiment()
    run = new_run(params, name, diff_augment=[], batch_size=20)
    errors = [float(run.step()[f"generator_loss_{term}"]) for _ in range(30)]
    assert min(errors[-5:]) < 0.9 * errors[0]


def test_the_identity_map_costs_nothing_and_a_shift_what_it_shifts() -> None:
    images, others = torch.rand(3, 3, 8, 8), torch.rand(3, 3, 8, 8)
    same = torch.nn.Identity()
    terms = reconstruction_losses(same, same, images, others, [images, others], 10.0, 5.0)
    assert all(term.tolist() == [0, 0, 0] for term in terms.values())

    class Brighter(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x + 0.25

    shift = Brighter()
    terms = reconstruction_losses(shift, same, images, others, [shift(images), others], 10.0, 5.0)
    assert terms["cycle"].tolist() == pytest.approx([10 * 0.5] * 3)
    assert terms["identity"].tolist() == pytest.approx([5 * 0.25] * 3)


@pytest.mark.parametrize(("image_size", "patch"), [(32, 16), (64, 34), (128, 70), (256, 70)])
def test_a_patch_discriminator_sees_patches_of_the_size_it_says(image_size: int, patch: int) -> None:
    network = PatchNetwork(image_size, 3, 4, torch.nn.Identity)
    images = torch.rand(1, 3, image_size, image_size, requires_grad=True)
    logits = network(images)[0]
    side = int(len(logits) ** 0.5)
    logits[side // 2 * side + side // 2].backward()
    seen = images.grad[0].abs().sum(dim=0) > 0
    assert [int(seen.any(dim=axis).sum()) for axis in (0, 1)] == [patch, patch]


def test_pairs_are_turned_together_and_drawn_together(experiment) -> None:
    """Each image's mask is its own red channel: they must stay equal."""
    chosen(experiment(), "pix2pix", sources="channel_0")
    run, sources = started("malignant")
    splits = pd.read_csv("data/splits.csv").query("split == 'train' and target == 1")
    assert sources.image_ids == splits["image_id"].tolist()
    turned = set()
    for position in range(0, 80, 8):
        run.images_seen = position
        given, targets = run.next_pair()
        assert torch.equal(given[:, 0], targets[:, 0])
        turned |= {float(image[0, 0, 0]) for image in targets}
    assert len(turned) > 20  # the row's number stands in the corner only if an image is not turned


def test_cyclegan_translates_the_other_class(experiment) -> None:
    chosen(experiment(), "cyclegan")
    run, sources = started("malignant")
    training = pd.read_csv("data/splits.csv").query("split == 'train'")
    rows = {target: set(training.query("target == @target")["row"]) for target in (0, 1)}
    assert set(run.images[:, 0, 0, 0].tolist()) == rows[1]
    assert set(run.told[:, 0, 0, 0].tolist()) == rows[0]
    assert len(sources.image_ids) == len(rows[0])


def test_images_without_a_mask_are_left_out(experiment) -> None:
    chosen(experiment(), "pix2pix")
    run, sources = started("malignant")
    training = pd.read_csv("data/splits.csv").query("split == 'train' and target == 1")
    assert sources.image_ids == training.query("row % 6 != 3")["image_id"].tolist()
    assert run.images[:, 0, 0, 0].tolist() == training.query("row % 6 != 3")["row"].tolist()
    np.save("data/images/masks.npy", np.zeros((60, 32, 32), np.uint8))
    with pytest.raises(InputError, match=r"none of the 10 images has a mask .* correct the source's masks"):
        started("malignant")


@pytest.mark.parametrize("name", TRANSLATORS)
def test_what_is_drawn_later_translates_the_training_images(name: str, experiment, monkeypatch) -> None:
    chosen(experiment(), name)
    train_gan.main("malignant", "0")
    kept = read_built_with(CHECKPOINT)["sources"]
    splits = pd.read_csv("data/splits.csv").set_index("image_id")
    assert (splits.loc[kept, "split"] == "train").all()
    synthesize.main("malignant", "0")
    drawn = np.load("data/synthetic/malignant/0/images.npy")
    assert drawn.shape == (20, 32, 32, 3)
    sample.write_samples(CHECKPOINT, 3, Path("out"), 0)
    assert len(list(Path("out").iterdir())) == 3
    splits.drop(index=kept[0]).reset_index().to_csv("data/splits.csv", index=False)
    with pytest.raises(InputError, match=f"the generator translates {kept[0]}, which is not in data/splits.csv"):
        TrainedGenerator(CHECKPOINT, CPU)


def test_sources_are_drawn_from_all_of_them(experiment) -> None:
    experiment()
    ids = pd.read_csv("data/splits.csv")["image_id"].tolist()[:10]
    sources = read_sources("other_class", ids, 32, CPU)
    drawn = sources.draw(300, torch.Generator().manual_seed(0), CPU)
    assert {round((float(image[0, 0, 0]) + 1) * 127.5) for image in drawn} == set(range(10))


def test_a_pool_shows_half_old_images_once_it_is_full() -> None:
    pool, rng = ImagePool(50, []), torch.Generator().manual_seed(0)
    numbers = torch.arange(1000.0).view(-1, 1, 1, 1)
    first = pool.exchange(numbers[:50], rng)
    assert torch.equal(first, numbers[:50])
    shown = torch.cat([pool.exchange(batch, rng) for batch in numbers[50:].split(10)])
    old = (shown != numbers[50:]).float().mean()
    assert float(old) == pytest.approx(0.5, abs=0.05)
    assert len(pool.images) == 50
    held = [float(image) for image in pool.images]
    assert len(set(held)) == 50
    everything = sorted([*shown.flatten().tolist(), *first.flatten().tolist()])
    assert len(everything) == 1000


@pytest.mark.parametrize(
    ("variant", "changed", "said"),
    [
        (
            "pix2pix",
            {"source.phantom.masks": None},
            "sources is masks and no source has masks; give the folder of the masks",
        ),
        (
            "pix2pix",
            {"gan.train.diff_augment": ["dihedral", "color"]},
            "diff_augment has color, and gan.variant pix2pix would tear",
        ),
        (
            "cyclegan",
            {"gan.train.diff_augment": ["cutout"]},
            "cyclegan would tear a source from its target",
        ),
    ],
)
def test_what_a_translator_cannot_do_is_said(variant: str, changed: dict, said: str, smoke_params) -> None:
    smoke_params["gan"]["variant"] = variant
    assert mistakes(smoke_params) == []
    for key, value in changed.items():
        *path, last = key.split(".")
        section = smoke_params
        for part in path:
            section = section[part]
        section[last] = value
    (line,) = mistakes(smoke_params)
    assert said in line


def test_the_picture_of_translations(experiment) -> None:
    params = experiment()
    for name, columns in (("pix2pix", 9), ("cyclegan", 6)):
        chosen(params, name)
        train_gan.main("malignant", "0")
        said = draw_translations(CHECKPOINT, Path("translations.png"), "val")
        assert said.startswith("3 images" if name == "pix2pix" else "10 images; no truth")
        with Image.open("translations.png") as picture:
            assert picture.width == 2 * 32 * columns
    chosen(params, "dcgan")
    train_gan.main("malignant", "0")
    with pytest.raises(InputError, match="is a dcgan, which translates nothing"):
        draw_translations(CHECKPOINT, Path("translations.png"), "val")


def test_a_perfect_translation_is_told_from_the_mean() -> None:
    truth = torch.rand(6, 2, 32, 32, generator=torch.Generator().manual_seed(0)) * 2 - 1
    for line in comparison(truth, truth, truth[:3]).splitlines()[2:]:
        _, psnr, of_mean, ssim, _ = map(float, line.split())
        assert psnr > 60 > 15 > of_mean
        assert ssim == 1
