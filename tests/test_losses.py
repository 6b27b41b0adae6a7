"""Losses against closed forms, two-sided."""

import math

import pytest
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
    ],
)
def test_adversarial_losses(loss, expected) -> None:
    assert loss(LOGITS).tolist() == pytest.approx(expected, rel=1e-5)


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
