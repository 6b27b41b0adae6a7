"""Losses on logits. Each returns one value per sample, shape (N,), to be minimised; callers reduce once."""

import torch
from torch import Tensor
from torch.nn import functional as F


def minimax_generator_loss(fake_logits: Tensor) -> Tensor:
    """log(1 - D(G(z))). Source: Goodfellow et al. 2014, eq. 1."""
    return -F.softplus(fake_logits)


def non_saturating_generator_loss(fake_logits: Tensor) -> Tensor:
    """-log D(G(z)). Source: Goodfellow et al. 2014, section 3."""
    return F.softplus(-fake_logits)


def real_loss(real_logits: Tensor, label_smoothing: float) -> Tensor:
    """Cross-entropy of D(x) with target ``label_smoothing`` (1: plain). Source: Salimans et al. 2016, section 3.4."""
    return F.binary_cross_entropy_with_logits(
        real_logits, torch.full_like(real_logits, label_smoothing), reduction="none"
    )


def fake_loss(fake_logits: Tensor) -> Tensor:
    """-log(1 - D(G(z))). Source: Goodfellow et al. 2014, eq. 1."""
    return F.softplus(fake_logits)


def hinge_real_loss(real_logits: Tensor) -> Tensor:
    """max(0, 1 - D(x)). Source: Miyato et al. 2018, eq. 16."""
    return F.relu(1 - real_logits)


def hinge_fake_loss(fake_logits: Tensor) -> Tensor:
    """max(0, 1 + D(G(z))). Source: Miyato et al. 2018, eq. 16."""
    return F.relu(1 + fake_logits)


def bce(logits: Tensor, targets: Tensor, malignant_share: float) -> Tensor:
    """Binary cross-entropy; ``malignant_share`` plays no part."""
    return F.binary_cross_entropy_with_logits(logits, targets, reduction="none")


def weighted(logits: Tensor, targets: Tensor, malignant_share: float) -> Tensor:
    """Binary cross-entropy, each class weighted by half the inverse of its share, so that the mean weight is 1."""
    weights = torch.where(targets > 0.5, 0.5 / malignant_share, 0.5 / (1 - malignant_share))
    return weights * bce(logits, targets, malignant_share)


def focal(logits: Tensor, targets: Tensor, malignant_share: float) -> Tensor:
    """-alpha_t (1 - p_t)^2 log p_t. Source: Lin et al. 2017, eq. 5; gamma = 2 and alpha = 0.25 as there."""
    p_target = torch.sigmoid(torch.where(targets > 0.5, logits, -logits))
    alpha = torch.where(targets > 0.5, 0.25, 0.75)
    return alpha * (1 - p_target) ** 2 * bce(logits, targets, malignant_share)


CLASSIFIER_LOSSES = {"bce": bce, "focal": focal, "weighted": weighted}


def nt_xent(first: Tensor, second: Tensor, negatives: Tensor, temperature: float) -> Tensor:
    """Normalised temperature-scaled cross-entropy between two views of the same images.

    Args:
        first, second: (N, D) projections; row i of both shows image i.
        negatives: (K, D) projections from which both must differ besides, such as damaged views; K may be 0.

    Returns: (2N,).
    Source: Chen et al. 2020 (SimCLR), eq. 1; further negatives are our addition.
    """
    views = F.normalize(torch.cat([first, second]), dim=1)  # (2N, D)
    similarity = views @ torch.cat([views, F.normalize(negatives, dim=1)]).T / temperature
    similarity.fill_diagonal_(-torch.inf)
    partner = torch.arange(len(views), device=first.device).roll(len(first))
    return F.cross_entropy(similarity, partner, reduction="none")
