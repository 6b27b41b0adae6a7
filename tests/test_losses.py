"""Losses against closed forms, two-sided."""

import math

import pytest
import scipy.integrate
import scipy.stats
import torch
from torch.nn import functional as F

from models import losses

LOGITS = torch.tensor([-2.0, 0.0, 1.0])


def softplus(x: float) -> float:
    return math.log1p(math.exp(x))


@pytest.mark.parametrize(
    ("loss", "expected"),
    [
        (losses.minimax_generator_loss, [-softplus(-2), -softplus(0), -softplus(1)]),
        (losses.non_saturating_generator_loss, [softplus(2), softplus(0), softplus(-1)]),
        (losses.fake_loss, [softplus(-2), softplus(0), softplus(1)]),
        (losses.hinge_real_loss, [3, 1, 0]),
        (losses.hinge_fake_loss, [0, 1, 2]),
        (losses.critic_generator_loss, [2, 0, -1]),
        (losses.critic_real_loss, [2, 0, -1]),
        (losses.critic_fake_loss, [-2, 0, 1]),
        (losses.least_squares_real_loss, [4.5, 0.5, 0]),
        (losses.least_squares_fake_loss, [2, 0, 0.5]),
        (losses.least_squares_generator_loss, [9, 1, 0]),
    ],
)
def test_adversarial_losses(loss, expected) -> None:
    assert loss(LOGITS).tolist() == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("slope", [0.0, 0.5, 1.0, 3.0])
def test_the_gradient_penalty_of_a_linear_critic_is_exact_from_both_sides(slope: float) -> None:
    direction = torch.randn(3, 4, 4, generator=torch.Generator().manual_seed(0))
    slopes = (slope * direction / direction.norm()).requires_grad_()
    real, fake = torch.randn(2, 5, 3, 4, 4, generator=torch.Generator().manual_seed(1))
    penalty = losses.gradient_penalty(lambda x: (x * slopes).sum(dim=(1, 2, 3)), real, fake, torch.rand(5, 1, 1, 1))
    assert penalty.tolist() == pytest.approx([(slope - 1) ** 2] * 5, abs=1e-5)
    if slope:
        (gradient,) = torch.autograd.grad(penalty.mean(), slopes)
        assert float((gradient * slopes.detach()).sum()) == pytest.approx(2 * (slope - 1) * slope, abs=1e-5)


def test_squared_gradients_of_a_linear_critic() -> None:
    slopes = torch.randn(3, 4, 4, generator=torch.Generator().manual_seed(0))
    penalty = losses.squared_gradients(lambda x: (x * slopes).sum(dim=(1, 2, 3)), torch.randn(5, 3, 4, 4))
    assert penalty.tolist() == pytest.approx([float((slopes**2).sum())] * 5, rel=1e-5)


def test_the_relativistic_loss_knows_differences_only() -> None:
    others = torch.tensor([1.0, 0.0, -1.0])
    expected = [softplus(3), softplus(0), softplus(-2)]
    assert losses.relativistic_loss(LOGITS, others).tolist() == pytest.approx(expected, rel=1e-5)
    assert torch.allclose(losses.relativistic_loss(LOGITS + 7, others + 7), losses.relativistic_loss(LOGITS, others))


def test_the_gradient_penalty_looks_between_fake_and_real() -> None:
    """|grad x^2/2| is |x|: the penalty tells where it was taken."""
    real, fake = torch.full((3, 1, 1, 1), 5.0), torch.full((3, 1, 1, 1), 1.0)
    fractions = torch.tensor([0.0, 0.25, 1.0]).view(3, 1, 1, 1)
    penalty = losses.gradient_penalty(lambda x: (x**2).sum(dim=(1, 2, 3)) / 2, real, fake, fractions)
    assert penalty.tolist() == pytest.approx([0, 1, 16])


@pytest.mark.parametrize(("mean", "deviation"), [(0.0, 1.0), (1.5, 1.0), (-0.5, 0.3), (0.7, 2.0)])
def test_the_kl_is_the_integral(mean: float, deviation: float) -> None:
    own = scipy.stats.norm(mean, deviation)
    integral, _ = scipy.integrate.quad(
        lambda x: own.pdf(x) * (own.logpdf(x) - scipy.stats.norm.logpdf(x)),
        mean - 12 * deviation,
        mean + 12 * deviation,
    )
    row = torch.tensor([[mean, 0.0]]), torch.tensor([[2 * math.log(deviation), 0.0]])
    assert float(losses.kl_to_standard_normal(*row)) == pytest.approx(integral, abs=1e-5)


def test_the_absolute_error_is_a_mean_over_an_images_pixels() -> None:
    images = torch.zeros(2, 1, 2, 2)
    others = torch.tensor([[0.0, 1, -1, 2], [0.5] * 4]).view(2, 1, 2, 2)
    assert losses.absolute_error(images, others).tolist() == [1.0, 0.5]
    assert losses.lecam_loss(torch.tensor([1.0, -2.0]), torch.tensor(-3.0)).tolist() == [16.0, 1.0]


def test_label_smoothing_is_one_sided_cross_entropy() -> None:
    assert losses.real_loss(LOGITS, 1.0).tolist() == pytest.approx([softplus(2), softplus(0), softplus(-1)], rel=1e-5)
    smooth = losses.real_loss(LOGITS, 0.9)
    assert smooth[2] == pytest.approx(0.9 * softplus(-1) + 0.1 * softplus(1), rel=1e-5)
    best = torch.tensor([math.log(9)])  # the logit of 0.9
    assert losses.real_loss(best, 0.9) < losses.real_loss(best + 0.5, 0.9)


def test_weighted_gives_both_classes_the_same_say() -> None:
    targets = torch.tensor([1.0, 0, 0, 0])
    loss = losses.weighted(torch.zeros(4), targets, malignant_share=0.25)
    assert float(loss[0]) == pytest.approx(float(loss[1:].sum()), rel=1e-5)
    assert float(loss.mean()) == pytest.approx(math.log(2), rel=1e-5)


def test_focal_is_the_formula() -> None:
    logits, targets = torch.tensor([1.5, 1.5]), torch.tensor([1.0, 0.0])
    p = torch.sigmoid(torch.tensor(1.5)).item()
    expected = [-0.25 * (1 - p) ** 2 * math.log(p), -0.75 * p**2 * math.log(1 - p)]
    assert losses.focal(logits, targets, 0.5).tolist() == pytest.approx(expected, rel=1e-5)


def test_bce_is_torchs() -> None:
    targets = torch.tensor([1.0, 0.0, 1.0])
    expected = F.binary_cross_entropy(torch.sigmoid(LOGITS), targets, reduction="none")
    assert losses.bce(LOGITS, targets, 0.1).tolist() == pytest.approx(expected.tolist(), rel=1e-5)


def test_nt_xent_of_orthogonal_images() -> None:
    """Two images, two equal views each: one similarity of 1 / t against two of 0, and those of the negatives."""
    views, none = torch.eye(2), torch.empty(0, 2)
    expected = math.log(1 + 2 * math.exp(-1 / 0.5))
    assert losses.nt_xent(views, views, none, 0.5).tolist() == pytest.approx([expected] * 4, rel=1e-5)
    assert losses.nt_xent(views, views.flip(0), none, 0.5).mean() > expected
    with_damaged = math.log(2 + 3 * math.exp(-1 / 0.5))  # each image's own damaged view looks like it: as bad as can be
    assert losses.nt_xent(views, views, 3 * views, 0.5).tolist() == pytest.approx([with_damaged] * 4, rel=1e-5)
