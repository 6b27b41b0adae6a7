"""The adversarial family: losses that pull the right way, and what is special to each variant."""

from typing import Any

import pytest
import torch
from torch.nn import functional as F

from models.generators.families import Adversarial, Discriminator
from models.generators.r3 import Halved, ResidualBlock, fix_up
from models.generators.sngan import SnganDiscriminator
from models.layers import MinibatchStddev
from tests.test_train_gan import new_run
from tests.variants import ADVERSARIAL, CLASSES, built


@torch.no_grad()
def stir(network: torch.nn.Module) -> None:
    """Away from the start, where classes are alike and residual blocks are the identity."""
    rng = torch.Generator().manual_seed(1)
    for weights in network.parameters():
        weights += 0.1 * torch.randn(weights.shape, generator=rng)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("image_size", [32, 64, 128, 256])
@pytest.mark.parametrize("name", ADVERSARIAL)
def test_discriminators_give_a_logit_for_every_image_and_may_name_the_class(
    name: str, image_size: int, channels: int, smoke_params: dict[str, Any]
) -> None:
    variant = built(name, smoke_params, image_size, channels)
    logits = variant.discriminator(torch.zeros(2, channels, image_size, image_size), torch.zeros(2, dtype=torch.long))
    assert logits.shape in ((2,), (2, 1 + CLASSES))


@pytest.mark.parametrize("name", ADVERSARIAL)
def test_every_parameter_gets_a_gradient(name: str, smoke_params: dict[str, Any]) -> None:
    variant = built(name, smoke_params)
    stir(variant.generator)
    stir(variant.discriminator)
    labels = torch.zeros(4, dtype=torch.long)
    real = torch.rand(4, 3, 32, 32) * 2 - 1
    fake = variant.generator(variant.latents(4, torch.Generator().manual_seed(0)), labels)
    terms = variant.generator_loss(variant.discriminator, real, fake, labels)
    torch.stack([term.mean() for term in terms.values()]).sum().backward()
    for parameter_name, parameter in variant.generator.named_parameters():
        assert parameter.grad is not None, parameter_name
        assert parameter.grad.abs().sum() > 0, parameter_name
    variant.discriminator.zero_grad()
    terms = variant.discriminator_loss(variant.discriminator, real, fake.detach(), labels)
    # Weighted apart, as the two halves of a hinge loss cancel in the last bias.
    torch.stack([weight * term.mean() for weight, term in enumerate(terms.values(), 1)]).sum().backward()
    for parameter_name, parameter in variant.discriminator.named_parameters():
        assert parameter.grad is not None, parameter_name
        assert parameter.grad.abs().sum() > 0, parameter_name


@pytest.mark.parametrize("name", ADVERSARIAL)
def test_losses_are_named_and_per_sample(name: str, smoke_params: dict[str, Any]) -> None:
    variant = built(name, smoke_params)
    labels = torch.zeros(4, dtype=torch.long)
    images = torch.zeros(4, 3, 32, 32)
    for loss in (variant.generator_loss, variant.discriminator_loss):
        terms = loss(variant.discriminator, images, images, labels)
        assert terms
        assert all(term.shape == (4,) for term in terms.values())


@pytest.mark.parametrize(("name", "settings"), [*((name, {}) for name in ADVERSARIAL), ("r3", {"conditional": True})])
def test_labels_change_what_a_conditional_variant_draws_and_thinks(
    name: str, settings: dict[str, Any], smoke_params: dict[str, Any]
) -> None:
    variant = built(name, smoke_params, **settings)
    stir(variant.discriminator)
    stir(variant.generator)
    labels = torch.tensor([0, 2])
    drawn = variant.generator(torch.ones(2, variant.latent_dim), labels)
    assert torch.allclose(drawn[0], drawn[1], atol=1e-6) != variant.conditional
    images = torch.rand(1, 3, 32, 32).expand(2, -1, -1, -1)
    losses = variant.discriminator_loss(variant.discriminator, images, -images, labels)
    alike = [torch.allclose(loss[0], loss[1], atol=1e-6) for loss in losses.values()]
    assert all(alike) != variant.conditional


def saying(variant: Adversarial, sign: float) -> Discriminator:
    """A discriminator of the variant's kind whose logit is an image's only pixel; it knows no class from another."""
    outputs = variant.discriminator(torch.zeros(2, 3, 32, 32), torch.zeros(2, dtype=torch.long)).view(2, -1).shape[1]
    return lambda images, _: F.pad(sign * images.flatten(1), (0, outputs - 1)).squeeze(1)


@pytest.mark.parametrize("name", ADVERSARIAL)
def test_a_discriminator_that_tells_real_from_fake_has_the_lower_loss(name: str, smoke_params: dict[str, Any]) -> None:
    variant = built(name, smoke_params)
    real, fake, labels = torch.ones(4, 1, 1, 1), -torch.ones(4, 1, 1, 1), torch.zeros(4, dtype=torch.long)

    def loss(sign: float) -> float:
        terms = variant.discriminator_loss(saying(variant, sign), real, fake, labels)
        return float(torch.stack([term.mean() for term in terms.values()]).sum())

    assert loss(1.0) < loss(0.0) < loss(-1.0)


@pytest.mark.parametrize("name", ADVERSARIAL)
def test_a_generator_that_deceives_has_the_lower_loss(name: str, smoke_params: dict[str, Any]) -> None:
    variant = built(name, smoke_params)
    fake = torch.ones(4, 1, 1, 1)

    def loss(sign: float) -> float:
        terms = variant.generator_loss(saying(variant, sign), -fake, fake, torch.zeros(4, dtype=torch.long))
        return float(torch.stack([term.mean() for term in terms.values()]).sum())

    assert loss(1.0) < loss(-1.0)


@pytest.mark.parametrize("name", ["acgan", "projection", "sngan"])
def test_every_layer_has_spectral_norm_one_after_training(name: str, experiment) -> None:
    """One power iteration a step, as in the paper, lags behind the weights by some percent; at rest it arrives."""
    run = new_run(experiment(), name, batch_size=4)
    for _ in range(40):
        run.step()
    discriminator = run.variant.discriminator.train()
    layers = [layer for layer in discriminator.modules() if hasattr(layer, "parametrizations")]
    assert len(layers) >= 7
    assert max(spectral_norm(layer) for layer in layers) < 1.1
    for layer in layers:
        for _ in range(2000):
            layer.weight  # noqa: B018  each look is an iteration
        assert spectral_norm(layer) == pytest.approx(1, abs=1e-3)


def spectral_norm(layer: torch.nn.Module) -> float:
    return float(torch.linalg.matrix_norm(layer.weight.detach().flatten(1), 2))


@pytest.mark.parametrize("image_size", [32, 64, 128, 256])
def test_sngan_logits_begin_within_reach_of_the_margins(image_size: int) -> None:
    """The hinge turns at 1 and -1; eight and more layers that each lose a third would never come near."""
    images = torch.linspace(-1, 1, image_size).expand(1, 3, image_size, -1)
    logits = []
    for seed in range(8):
        torch.manual_seed(seed)
        discriminator = SnganDiscriminator(image_size, 3, 8, minibatch_stddev=False)
        for _ in range(5):
            discriminator(images, torch.zeros(1))
        logits.append(discriminator.eval()(images, torch.zeros(1)).detach())
    assert 0.1 < torch.cat(logits).abs().mean() < 3


def test_r3_blocks_begin_as_the_identity_and_halving_is_bilinear() -> None:
    x = torch.randn(2, 44, 8, 8, generator=torch.Generator().manual_seed(0))
    network = torch.nn.Sequential(*(ResidualBlock(44) for _ in range(16)))
    fix_up(network)
    assert torch.equal(network(x), x)
    first = network[0].layers[0].weight
    assert first.std().item() == pytest.approx((2 / 1.04 / 44) ** 0.5 / 2, rel=0.05)  # 16 blocks: half
    x = x[:, :16]
    halved = F.interpolate(x, scale_factor=0.5, mode="bilinear")
    assert torch.allclose(Halved(16, 4)[0](x), halved, atol=1e-6)


def test_projection_adds_the_products_with_the_labels_embedding(smoke_params: dict[str, Any]) -> None:
    discriminator = built("projection", smoke_params).discriminator.eval()
    images = torch.randn(2, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    first, second = (discriminator(images, torch.full((2,), label)) for label in (0, 2))
    difference = discriminator.class_head.weight[0] - discriminator.class_head.weight[2]
    expected = discriminator.trunk.gain * discriminator.trunk(images) @ difference
    assert torch.allclose(first - second, expected, atol=1e-4)


@pytest.mark.parametrize("name", ADVERSARIAL)
def test_minibatch_stddev_lets_a_discriminator_see_its_batch(name: str, smoke_params: dict[str, Any]) -> None:
    images = torch.rand(4, 3, 32, 32, generator=torch.Generator().manual_seed(0)) * 2 - 1
    alike = images[:1].expand(4, -1, -1, -1)
    labels = torch.zeros(4, dtype=torch.long)
    for seeing in (False, True):
        discriminator = built(name, smoke_params, minibatch_stddev=seeing).discriminator
        stir(discriminator)
        discriminator.eval()
        with torch.no_grad():
            differs = discriminator(images, labels)[0] - discriminator(alike, labels)[0]
        assert (float(differs.abs().max()) > 1e-5) == seeing


def test_minibatch_stddev_is_the_mean_standard_deviation_of_a_group() -> None:
    x = torch.randn(8, 3, 4, 4, generator=torch.Generator().manual_seed(0))
    seen = MinibatchStddev()(x)
    assert torch.equal(seen[:, :3], x)
    for group in (slice(0, 4), slice(4, 8)):
        expected = x[group].std(dim=0, correction=0).mean()
        assert torch.allclose(seen[group, 3], expected.expand(4, 4, 4), atol=1e-5)


def test_wgan_clips_every_weight_of_the_critic(smoke_params: dict[str, Any]) -> None:
    variant = built("wgan", smoke_params, clip=0.003)
    variant.after_discriminator_step(variant.discriminator)
    assert max(float(weights.detach().abs().max()) for weights in variant.discriminator.parameters()) == pytest.approx(
        0.003
    )
    assert max(float(weights.detach().abs().max()) for weights in variant.generator.parameters()) > 0.9


def test_wgan_gp_judges_each_image_by_itself(smoke_params: dict[str, Any]) -> None:
    discriminator = built("wgan_gp", smoke_params).discriminator.train()
    images = torch.randn(4, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    alone = torch.cat([discriminator(image[None], torch.zeros(1)) for image in images])
    assert torch.allclose(discriminator(images, torch.zeros(4)), alone, atol=1e-6)


def test_dcgan_settings_change_the_networks(smoke_params: dict[str, Any]) -> None:
    full, light = (built("dcgan", smoke_params, light=light).discriminator for light in (False, True))
    assert sum(p.numel() for p in light.parameters()) < sum(p.numel() for p in full.parameters()) / 2
    assert isinstance(list(light.modules())[-1], torch.nn.Linear)
    leaky = built("dcgan", smoke_params, generator_activation="leaky_relu").generator
    assert any(isinstance(layer, torch.nn.LeakyReLU) for layer in leaky.modules())
    fake = torch.zeros(2, 1, 1, 1)
    for loss, expected in (("minimax", -0.6931), ("non_saturating", 0.6931)):
        terms = built("dcgan", smoke_params, loss=loss).generator_loss(lambda x, _: x.flatten(), fake, fake, fake)
        assert terms["adversarial"].tolist() == pytest.approx([expected] * 2, abs=1e-4)
