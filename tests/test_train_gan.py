"""Training generators: who moves, what is read, and what an interruption costs."""

import contextlib
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
import yaml
from PIL import Image

from models.generators import build_variant
from models.generators.families import Family
from pipeline import train_gan
from pipeline.checkpoints import read_built_with
from pipeline.conditions import Conditions
from pipeline.errors import InputError
from pipeline.params.gan import GanTrainParams
from pipeline.params.generators import SETTINGS
from pipeline.training.adversarial import discriminator_step, generator_step, lecam
from pipeline.training.batches import EpochOrder, as_tensor, to_uint8, to_unit_range
from pipeline.training.ema import ema_decay, frozen_copy, measure_batch_norms, update_ema
from pipeline.training.generator import GeneratorRun, RunInputs, train_generator
from pipeline.training.ranks import Ranks
from pipeline.validation_look import ValidationLook
from tests.variants import ADVERSARIAL, TRAINED, TRANSLATORS, told

CPU = torch.device("cpu")
CHECKPOINT = Path("data/checkpoints/gan/malignant/0")
ONE_CLASS = Conditions(["malignant"], [1.0])


def new_run(params: dict[str, Any], name: str, **changed: Any) -> GeneratorRun:
    torch.manual_seed(0)
    settings = SETTINGS[name].model_validate(params["gan"]["variants"][name]).model_dump()
    variant = build_variant(name, image_size=32, channels=3, classes=2, **settings)
    train = GanTrainParams.model_validate(params["gan"]["train"] | changed)
    images = torch.randint(60, 200, (20, 3, 32, 32), dtype=torch.uint8, generator=torch.Generator().manual_seed(1))
    with_each = ((told(variant, 20) + 1) * 127.5).to(torch.uint8) if name in TRANSLATORS else told(variant, 20)
    given = RunInputs(images, with_each, train, 0, CPU, contextlib.nullcontext)
    return train_gan.RUNS[type(variant)](variant, given)


def started(class_name: str, seed: int = 0) -> tuple[GeneratorRun, train_gan.Told]:
    """As the stage begins, with the params and data of the working directory."""
    params = train_gan.read_params(train_gan.Params)
    return train_gan.start_run(params, class_name, *train_gan.training_images(params, class_name), seed, Ranks())


def look_of(variant: Family, told: train_gan.Told, seed: int) -> ValidationLook:
    return train_gan.validation_look(train_gan.read_params(train_gan.Params), variant, told, "malignant", seed, CPU)


def unseen(network: torch.nn.Module) -> dict[str, float]:
    return {"val_kid": 1.0, "val_recall": 1.0}


def train(run: GeneratorRun, look=unseen) -> torch.nn.Module:
    return train_generator(run, look, lambda: None, lambda count: None)


def moved(before: dict[str, torch.Tensor], network: torch.nn.Module) -> bool:
    return any(not torch.equal(before[name], value) for name, value in network.named_parameters())


def weights(network: torch.nn.Module) -> dict[str, torch.Tensor]:
    return {name: value.detach().clone() for name, value in network.named_parameters()}


@pytest.mark.parametrize("name", ADVERSARIAL)
def test_each_step_moves_its_own_network_only(name: str, experiment) -> None:
    run = new_run(experiment(), name)
    for step, moving, still in (
        (discriminator_step, run.variant.discriminator, run.variant.generator),
        (generator_step, run.variant.generator, run.variant.discriminator),
    ):
        before_moving, before_still = weights(moving), weights(still)
        terms = step(run)
        assert moved(before_moving, moving)
        assert not moved(before_still, still)
        assert all(value.dim() == 0 for value in terms.values())


def test_a_penalty_is_taken_in_turn_and_counts_as_often_as_its_interval(experiment) -> None:
    """A penalty of 1 for the sum of the first weights: its gradient is known."""
    params = experiment()
    params["gan"]["variants"]["wgan_gp"]["penalty_interval"] = 3
    run = new_run(params, "wgan_gp", batch_size=4)
    first = next(run.variant.discriminator.parameters())
    calls = []

    def penalty(discriminator, real, fake, labels, rng):
        calls.append(run.images_seen)
        return {"sum": first.sum().expand(len(real))}

    def nothing(discriminator, real, fake, labels):
        return {"real": 0 * discriminator(real, labels), "fake": 0 * discriminator(fake, labels)}

    run.variant = replace(run.variant, penalty=penalty, discriminator_loss=nothing)
    for step in range(7):
        run.images_seen = 4 * step
        terms = discriminator_step(run)
        assert ("discriminator_loss_sum" in terms) == (step % 3 == 0)
        if step % 3 == 0:
            assert torch.equal(first.grad, torch.full_like(first, 3.0))
    assert calls == [0, 12, 24]


def test_lecam_holds_the_logits_of_each_side_to_the_others_average(experiment) -> None:
    """Batches of logits 1 and -3, then 2 and -3, by hand."""
    params = experiment()
    params["gan"]["variants"]["dcgan"]["lecam_weight"] = 0.3
    run = new_run(params, "dcgan", batch_size=4)
    real, fake = torch.full((4,), 1.0), torch.full((4,), -3.0)
    assert lecam(run, real, fake)["lecam"].tolist() == pytest.approx([0.3 * (4**2 + 4**2)] * 4)
    for _ in range(199):
        lecam(run, real, fake)
    terms = lecam(run, torch.full((4,), 2.0), fake)
    average = 1.01  # one batch of 2 after many of 1, at decay 0.99
    assert terms["lecam"].tolist() == pytest.approx([0.3 * (5**2 + (3 + average) ** 2)] * 4, rel=1e-4)
    assert "discriminator_loss_lecam" in discriminator_step(run)


@pytest.mark.parametrize("name", ADVERSARIAL)
def test_steps_of_one_network_against_a_fixed_other_lower_its_loss(name: str, experiment) -> None:
    run = new_run(experiment(), name, diff_augment=[], batch_size=20)
    losses = [sum(float(value) for term, value in discriminator_step(run).items() if "loss" in term) for _ in range(12)]
    assert min(losses[-3:]) < losses[0]
    losses = [float(generator_step(run)["generator_loss_adversarial"]) for _ in range(12)]
    assert min(losses[-3:]) < losses[0]


@pytest.mark.parametrize("name", TRAINED)
def test_an_interrupted_run_ends_in_the_same_bytes(name: str, experiment, monkeypatch: pytest.MonkeyPatch) -> None:
    params = experiment()
    params["gan"]["variant"] = name
    Path("params.yaml").write_text(yaml.safe_dump(params))
    train_gan.main("malignant", "0")
    whole = {path.name: path.read_bytes() for path in CHECKPOINT.iterdir()}
    curve = Path("reports/plots/gan_malignant_0.csv").read_bytes()
    shutil.rmtree("data/checkpoints")

    class Killed(BaseException):
        pass

    def die_after_the_second_checkpoint(run, look, save, shown):
        saves = []

        def counted():
            save()
            saves.append(run.images_seen)

        def shown_until(count):
            if len(saves) == 2:
                raise Killed

        train_generator(run, look, counted, shown_until)

    monkeypatch.setattr(train_gan, "train_generator", die_after_the_second_checkpoint)
    with pytest.raises(Killed):
        train_gan.main("malignant", "0")
    assert not CHECKPOINT.exists()
    resumed_at = []

    def noted(run, look, save, shown):
        resumed_at.append(run.images_seen)
        return train_generator(run, look, save, shown)

    monkeypatch.setattr(train_gan, "train_generator", noted)
    train_gan.main("malignant", "0")
    assert resumed_at in ([40], [48])  # of 80 images; a step may take two batches
    with Image.open("logs/train_gan_malignant_0.png") as picture:
        assert picture.size == (1200, 700)
    assert {path.name: path.read_bytes() for path in CHECKPOINT.iterdir()} == whole
    assert Path("reports/plots/gan_malignant_0.csv").read_bytes() == curve
    assert not list(Path(".checkpoints").rglob("*.pt"))


def test_another_param_does_not_resume_the_state(experiment, monkeypatch: pytest.MonkeyPatch) -> None:
    params = experiment()
    seen = []

    def keep_the_state(run, look, save, shown):
        seen.append(run.images_seen)
        run.images_seen = 48
        save()
        raise KeyboardInterrupt

    monkeypatch.setattr(train_gan, "train_generator", keep_the_state)
    monkeypatch.setattr(train_gan, "write_training_picture", lambda *drawn: None)
    for rate in (0.0002, 0.0002, 0.0004):
        params["gan"]["variants"]["dcgan"]["generator_learning_rate"] = rate
        Path("params.yaml").write_text(yaml.safe_dump(params))
        with pytest.raises(KeyboardInterrupt):
            train_gan.main("malignant", "0")
    assert seen == [0, 48, 0]


@pytest.mark.parametrize(("class_name", "target"), [("benign", 0), ("malignant", 1)])
def test_a_generator_sees_training_images_of_its_class_only(class_name: str, target: int, experiment) -> None:
    """Every drawn image holds its row in a corner pixel: the rows that the loop holds are the split's."""
    experiment()
    run, _ = started(class_name)
    splits = pd.read_csv("data/splits.csv")
    expected = splits[(splits["split"] == "train") & (splits["target"] == target)]["row"]
    assert run.images[:, 0, 0, 0].tolist() == expected.tolist()
    shown = {int(image[0, 0, 0]) for position in range(0, 200, 8) for image in batch_at(run, position)}
    assert shown == set(expected)


def test_max_images_takes_some_of_each_class_and_fewer_are_a_part_of_more(experiment) -> None:
    params = experiment()
    taken = {}
    for count in (3, 6, 50):
        params["gan"]["train"]["max_images"] = count
        Path("params.yaml").write_text(yaml.safe_dump(params))
        taken[count] = [set(started(name)[0].images[:, 0, 0, 0].tolist()) for name in ("benign", "malignant")]
        again = [set(started(name, seed=1)[0].images[:, 0, 0, 0].tolist()) for name in ("benign", "malignant")]
        assert again == taken[count]
    assert [[len(rows) for rows in both] for both in taken.values()] == [[3, 3], [6, 6], [20, 10]]
    assert all(few < more for few, more in zip(taken[3], taken[6], strict=True))


@pytest.mark.parametrize(("condition_on", "labels"), [("target", 2), ("sex", 6)])
def test_a_conditional_generator_sees_all_training_images_and_what_they_show(
    condition_on: str, labels: int, experiment
) -> None:
    params = experiment()
    params["gan"] |= {"variant": "cgan", "condition_on": condition_on}
    Path("params.yaml").write_text(yaml.safe_dump(params))
    run, _ = started("malignant")
    assert run.images[:, 0, 0, 0].tolist() == list(range(30))
    table = pd.read_csv("data/splits.csv").merge(pd.read_csv("data/conditions.csv")).sort_values("row")[:30]
    names = np.where(table["target"] == 1, "malignant", "benign").tolist()
    if condition_on == "sex":
        names = [f"{name}, {sex}" for name, sex in zip(names, table["sex"].fillna("unknown"), strict=True)]
    assert len(set(names)) == labels
    assert [sorted(set(names))[label] for label in run.told] == names
    train_gan.main("malignant", "0")
    conditions = read_built_with(CHECKPOINT)["conditions"]
    assert conditions["names"] == sorted(set(names))
    drawn = Conditions(**conditions).draw(4000, torch.Generator().manual_seed(0), CPU)
    malignant = [name for name in names if name.startswith("malignant")]
    for label, name in enumerate(conditions["names"]):
        assert float((drawn == label).float().mean()) == pytest.approx(malignant.count(name) / 10, abs=0.03)


def batch_at(run: GeneratorRun, position: int) -> torch.Tensor:
    run.images_seen = position
    return ((run.next_batch()[0] + 1) * 127.5).round()


def test_test_images_change_nothing_and_validation_images_the_choice_only(experiment) -> None:
    experiment()

    def trained() -> tuple[bytes, pd.DataFrame]:
        train_gan.main("malignant", "0")
        return (CHECKPOINT / "model.safetensors").read_bytes(), pd.read_csv("reports/plots/gan_malignant_0.csv")

    def change(split: str) -> None:
        images = np.load("data/images/images.npy")
        rows = pd.read_csv("data/splits.csv").query("split == @split")["row"]
        images[rows] = 255 - images[rows]
        np.save("data/images/images.npy", images)

    weights, curve = trained()
    change("test")
    assert trained()[0] == weights
    change("val")
    seen = ["val_kid", "val_recall"]
    again = trained()[1]
    pd.testing.assert_frame_equal(again.drop(columns=seen), curve.drop(columns=seen))
    assert not again["val_kid"].equals(curve["val_kid"])
    change("train")
    assert not trained()[1]["generator_loss_adversarial"].equals(curve["generator_loss_adversarial"])


@pytest.mark.parametrize("best", range(4))
def test_the_weights_of_the_lowest_kid_are_kept(best: int, experiment) -> None:
    run = new_run(experiment(), "dcgan")  # four looks
    averages = []

    def look(ema):
        averages.append(weights(ema))
        return {"val_kid": float(len(averages) != best + 1), "val_recall": 0.5}

    kept = weights(train(run, look))
    assert [all(torch.equal(kept[name], average[name]) for name in kept) for average in averages] == [
        look == best for look in range(4)
    ]
    assert run.chosen["kimg"] == run.curve[best]["kimg"]


def test_a_collapse_of_low_kid_is_passed_over(experiment) -> None:
    run = new_run(experiment(), "dcgan", min_recall=0.1)  # four looks
    looks = iter([(0.5, 0.0), (3.0, 0.2), (2.0, 0.2), (0.1, 0.0)])
    train(run, lambda ema: dict(zip(("val_kid", "val_recall"), next(looks), strict=True)))
    assert run.chosen["val_kid"] == 2.0


def test_looking_changes_no_training(experiment) -> None:
    params = experiment()
    run, conditions = started("malignant", 3)
    look = look_of(run.variant, conditions, 4)
    train(run, look)
    unwatched, _ = started("malignant", 3)
    train(unwatched)
    for name, value in weights(unwatched.variant.generator).items():
        assert torch.equal(value, weights(run.variant.generator)[name])
    assert len(look.images) == train_gan.SAMPLES
    assert params["gan"]["train"]["kimg"] * 1000 == run.images_seen


def test_a_look_prefers_the_validation_images_to_noise(experiment) -> None:
    variant = new_run(experiment(images=240), "dcgan").variant
    look = look_of(variant, ONE_CLASS, 0)
    real = as_tensor(np.load("data/images/images.npy")[::3], CPU)

    class Fixed(torch.nn.Module):
        def __init__(self, images: torch.Tensor) -> None:
            super().__init__()
            self.images = to_unit_range(images)

        def forward(self, z: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
            return self.images[torch.arange(len(z)) % len(self.images)]

    good, noise = look(Fixed(real)), look(Fixed(torch.randint_like(real, 0, 256)))
    assert good["val_kid"] < noise["val_kid"]
    assert good["val_recall"] > 0.9
    assert noise["val_recall"] == 0


def test_a_look_turns_what_it_draws_as_the_training_did_and_always_alike(experiment) -> None:
    """A look at a generator of one picture only, bright in a corner."""
    params = experiment()
    picture = torch.full((train_gan.SAMPLES, 3, 32, 32), -1.0)
    picture[:, :, 2, 5] = 1

    class Fixed(torch.nn.Module):
        def forward(self, z: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
            return picture[: len(z)]

    for policy, places in {("color",): 1, ("flip",): 2, ("dihedral",): 8}.items():
        params["gan"]["train"]["diff_augment"] = list(policy)
        Path("params.yaml").write_text(yaml.safe_dump(params))
        variant = new_run(params, "dcgan").variant
        look = look_of(variant, ONE_CLASS, 0)
        look(Fixed())
        first = look.images
        assert len({image.tobytes() for image in first}) == places
        look(Fixed())
        assert np.array_equal(look.images, first)


def test_a_generator_of_too_little_recall_is_refused(experiment) -> None:
    params = experiment()
    run = new_run(params, "dcgan", min_recall=0.3)
    with pytest.raises(InputError, match=r"collapsed: at its best, after 0.024 kimg, .* is 0.20 .*min_recall is 0.3"):
        train(run, lambda ema: {"val_kid": run.images_seen / 1000, "val_recall": 0.2})
    train(new_run(params, "dcgan", min_recall=0.2), lambda ema: {"val_kid": 1.0, "val_recall": 0.2})


def test_a_loss_that_is_not_finite_stops_the_run_and_is_named(experiment) -> None:
    params = experiment()
    params["gan"]["variants"]["dcgan"]["generator_learning_rate"] = 1e30
    run = new_run(params, "dcgan")
    with pytest.raises(InputError, match=r"loss_.* became (nan|inf|-inf) by .* kimg"):
        train(run)


def test_an_epoch_shows_every_image_once_and_batches_run_over_its_end() -> None:
    order = EpochOrder(10, seed=3)
    stream = torch.cat([order.indices(start, 4) for start in range(0, 40, 4)])
    for epoch in range(4):
        assert sorted(stream[10 * epoch : 10 * epoch + 10].tolist()) == list(range(10))
    assert stream[:10].tolist() != stream[10:20].tolist()


def test_uint8_survives_the_way_to_the_model_and_back() -> None:
    images = np.arange(256, dtype=np.uint8).reshape(1, 16, 16, 1).repeat(3, axis=3)
    there = to_unit_range(as_tensor(images, CPU))
    assert there.min() == -1
    assert there.max() == 1
    assert np.array_equal(to_uint8(there), images)


def test_the_moving_average_has_the_half_life_it_is_given() -> None:
    assert ema_decay(32, images_seen=1_000_000, half_life_kimg=10) == pytest.approx(0.5 ** (32 / 10_000))
    assert ema_decay(32, images_seen=640, half_life_kimg=10) == pytest.approx(0.5)  # ramp: 5 % of what was seen
    assert ema_decay(32, images_seen=640, half_life_kimg=0) == pytest.approx(0)
    model = torch.nn.BatchNorm2d(1)
    ema = frozen_copy(model)
    torch.nn.init.constant_(model.weight, 3.0)
    update_ema(ema, model, decay=0.75)
    assert float(ema.weight) == pytest.approx(1.5)


def test_batch_norms_are_measured_over_all_calls_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.training.ema.MEASURED_BATCHES", 8)
    norm = torch.nn.BatchNorm2d(2)
    norm(torch.full((4, 2, 3, 3), 100.0))  # what was averaged before is forgotten
    batches = iter(
        torch.randn(8, 16, 2, 5, 5, generator=torch.Generator().manual_seed(0)) * 3
        + torch.arange(8.0).view(-1, 1, 1, 1, 1)
    )
    seen = []
    measure_batch_norms(norm, lambda: norm(seen.append(next(batches)) or seen[-1]))
    assert len(seen) == 8
    assert torch.allclose(norm.running_mean, torch.stack(seen).mean(dim=(0, 1, 3, 4)), atol=1e-4)
    assert torch.allclose(
        norm.running_var, torch.stack([each.var(dim=(0, 2, 3)) for each in seen]).mean(dim=0), rtol=1e-4
    )
    assert norm.momentum == 0.1
    assert not norm.training


@pytest.mark.parametrize("name", ["dcgan", "projection", "r3"])
def test_what_is_drawn_has_statistics_of_its_own_images_and_leaves_the_average_alone(name: str, experiment) -> None:
    run = new_run(experiment(), name)
    run.step()
    for norm in (layer for layer in run.ema.modules() if isinstance(layer, torch.nn.BatchNorm2d)):
        norm.running_mean.fill_(50)
    before, stream = {key: value.clone() for key, value in run.ema.state_dict().items()}, run.rng.get_state()
    drawn = run.drawing()
    again = run.drawing()
    assert all(torch.equal(value, again.state_dict()[key]) for key, value in drawn.state_dict().items())
    assert all(torch.equal(value, before[key]) for key, value in run.ema.state_dict().items())
    assert torch.equal(stream, run.rng.get_state())
    assert all(
        float(norm.running_mean.abs().max()) < 10 for norm in drawn.modules() if isinstance(norm, torch.nn.BatchNorm2d)
    )
    assert not drawn.training
