"""Losses on logits. Each returns one value per sample, shape (N,), to be minimised; callers reduce once."""

from collections.abc import Callable

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


def critic_real_loss(real_logits: Tensor) -> Tensor:
    """-D(x). Source: Arjovsky et al. 2017, eq. 3."""
    return -real_logits


def critic_fake_loss(fake_logits: Tensor) -> Tensor:
    """D(G(z)). Source: Arjovsky et al. 2017, eq. 3."""
    return fake_logits


def critic_generator_loss(fake_logits: Tensor) -> Tensor:
    """-D(G(z)); of the hinge too. Source: Arjovsky et al. 2017, theorem 3; Miyato et al. 2018, eq. 17."""
    return -fake_logits


def relativistic_loss(logits: Tensor, others: Tensor) -> Tensor:
    """-log sigmoid(D(x) - D(y)): how far x is from being more real than y. Source: Jolicoeur-Martineau 2019, eq. 3."""
    return F.softplus(others - logits)


def lecam_loss(logits: Tensor, average: Tensor) -> Tensor:
    """(D(x) - a)^2: logits of real images are held to the average of the fake ones' logits, and the reverse.

    Source: Tseng et al. 2021, eq. 4.
    """
    return (logits - average) ** 2


def least_squares_real_loss(real_logits: Tensor) -> Tensor:
    """(D(x) - 1)^2 / 2. Source: Mao et al. 2017, eq. 9."""
    return 0.5 * (real_logits - 1) ** 2


def least_squares_fake_loss(fake_logits: Tensor) -> Tensor:
    """D(G(z))^2 / 2. Source: Mao et al. 2017, eq. 9."""
    return 0.5 * fake_logits**2


def least_squares_generator_loss(fake_logits: Tensor) -> Tensor:
    """(D(G(z)) - 1)^2. Source: Mao et al. 2017, eq. 9; as Zhu et al. 2017, section 4, without the half."""
    return (fake_logits - 1) ** 2


def absolute_error(images: Tensor, others: Tensor) -> Tensor:
    """Mean distance of pixel values, (N, C, H, W) twice to (N,). Source: Isola et al. 2017, eq. 3, as a mean."""
    return (images - others.float()).abs().flatten(1).mean(dim=1)


def input_gradients(discriminator: Callable[[Tensor], Tensor], points: Tensor) -> Tensor:
    """The gradient of D at each of N images, (N, C * H * W); can be differentiated in turn."""
    points = points.detach().requires_grad_()
    (gradients,) = torch.autograd.grad(discriminator(points).sum(), points, create_graph=True)
    return gradients.flatten(1)


def squared_gradients(discriminator: Callable[[Tensor], Tensor], points: Tensor) -> Tensor:
    """|grad D|^2, (N,): R1 of real images, R2 of fake ones, without gamma/2. Source: Mescheder et al. 2018, eq. 9."""
    return input_gradients(discriminator, points).square().sum(dim=1)


def gradient_penalty(
    discriminator: Callable[[Tensor], Tensor], real: Tensor, fake: Tensor, fractions: Tensor
) -> Tensor:
    """(|grad D| - 1)^2 between real and fake images. Source: Gulrajani et al. 2017, eq. 3, without lambda.

    Args:
        fractions: (N, 1, 1, 1) in [0, 1]: how far from fake to real.
    """
    return (input_gradients(discriminator, fake + fractions * (real - fake)).norm(dim=1) - 1) ** 2


def kl_to_standard_normal(mean: Tensor, log_variance: Tensor) -> Tensor:
    """KL(N(mean, variance) || N(0, I)) of rows (N, Z), (N,). Source: Kingma and Welling 2014, appendix B."""
    return 0.5 * (mean**2 + log_variance.exp() - 1 - log_variance).sum(dim=1)


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
