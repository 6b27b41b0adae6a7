"""Augmentation on whole batches, a fresh draw for every image; differentiable, so it may stand before a discriminator.

Every function takes images (N, C, H, W) in [-1, 1] and the random generator to draw from, and returns the same shape.
Draws are made on the generator's device and moved to the images'.

torchvision.transforms.v2 draws once for a whole batch, from the global stream, and image by image it is several times
slower (benchmarks/augment.py). What the operations have in common is equal, which the tests show; brightness, contrast,
saturation and hue are linear in the colours as in Zhao et al. 2020 and unclamped, so that every pixel has a gradient.
"""

import math
from collections.abc import Callable, Sequence

import torch
from torch import Generator, Tensor
from torch.nn import functional as F

Augmentation = Callable[[Tensor, Generator], Tensor]


def uniform(images: Tensor, rng: Generator, low: float, high: float) -> Tensor:
    """One draw per image, (N, 1, 1, 1)."""
    draw = torch.rand(len(images), 1, 1, 1, generator=rng, device=rng.device)
    return (low + (high - low) * draw).to(images.device)


def _sometimes(changed: Tensor, images: Tensor, rng: Generator, probability: float) -> Tensor:
    return torch.where(uniform(images, rng, 0, 1) < probability, changed, images)


def flip(images: Tensor, rng: Generator) -> Tensor:
    """Left-right with probability one half."""
    return _sometimes(images.flip(3), images, rng, 0.5)


def dihedral(images: Tensor, rng: Generator) -> Tensor:
    """One of the eight symmetries of the square: a skin lesion has no upright."""
    images = flip(images, rng)
    images = _sometimes(images.flip(2), images, rng, 0.5)
    return _sometimes(images.transpose(2, 3), images, rng, 0.5)


def orientations(images: Tensor, symmetry: str) -> list[Tensor]:
    """The batch as it is and turned in every other way of ``symmetry``: none (1 batch), flip (2), dihedral (8)."""
    turned = [images] if symmetry == "none" else [images, images.flip(3)]
    if symmetry == "dihedral":
        return [torch.rot90(batch, quarters, (2, 3)) for batch in turned for quarters in range(4)]
    return turned


def brightness(images: Tensor, rng: Generator, strength: float) -> Tensor:
    """A constant is added, up to ``strength`` either way; torchvision multiplies."""
    return images + uniform(images, rng, -strength, strength)


def contrast(images: Tensor, rng: Generator, strength: float) -> Tensor:
    """A factor in [1 - strength, 1 + strength] about the mean of all channels; torchvision takes the luma's mean."""
    mean = images.mean(dim=(1, 2, 3), keepdim=True)
    return mean + (images - mean) * uniform(images, rng, 1 - strength, 1 + strength)


def saturation(images: Tensor, rng: Generator, strength: float) -> Tensor:
    """A factor in [1 - strength, 1 + strength] about the mean of the channels; torchvision takes the luma."""
    gray = images.mean(dim=1, keepdim=True)
    return gray + (images - gray) * uniform(images, rng, 1 - strength, 1 + strength)


def hue(images: Tensor, rng: Generator, degrees: float) -> Tensor:
    """Rotation of RGB about the gray axis (Rodrigues' formula), up to ``degrees`` either way; one channel has no hue.

    torchvision turns the hue of HSV, which has no gradient at gray; both agree at multiples of 120 degrees.
    """
    if images.shape[1] != 3:
        return images
    angle = uniform(images, rng, -degrees, degrees).squeeze(3) * math.pi / 180  # (N, 1, 1)
    axis = torch.full((3,), 3**-0.5, device=images.device)
    cross = torch.tensor([[0.0, -1, 1], [1, 0, -1], [-1, 1, 0]], device=images.device) * 3**-0.5
    rotation = torch.eye(3, device=images.device) * angle.cos() + cross * angle.sin()
    rotation = rotation + torch.outer(axis, axis) * (1 - angle.cos())  # (N, 3, 3)
    return torch.einsum("nij,njhw->nihw", rotation.to(images.dtype), images)


def translation(images: Tensor, rng: Generator, fraction: float, mirrored: bool = False) -> Tensor:
    """A shift by whole pixels, up to ``fraction`` of a side; what comes into view is mirrored, or black."""
    size = images.shape[2]
    reach = round(size * fraction)
    padded = F.pad(images, [reach] * 4, mode="reflect") if mirrored else F.pad(images, [reach] * 4, value=-1.0)
    shift = torch.randint(0, 2 * reach + 1, (len(images), 2), generator=rng, device=rng.device).to(images.device)
    pixels = torch.arange(size, device=images.device)
    rows = (shift[:, :1] + pixels)[:, :, None]  # (N, H, 1)
    columns = (shift[:, 1:] + pixels)[:, None, :]  # (N, 1, W)
    batch = torch.arange(len(images), device=images.device)[:, None, None]
    return padded.permute(0, 2, 3, 1)[batch, rows, columns].permute(0, 3, 1, 2)


def cutout(images: Tensor, rng: Generator, fraction: float) -> Tensor:
    """A gray square of ``fraction`` of a side at a random place, partly outside at times."""
    size = images.shape[2]
    centres = torch.rand(2, len(images), 1, generator=rng, device=rng.device).to(images.device) * size
    distance = (torch.arange(size, device=images.device) + 0.5 - centres).abs()  # (2, N, size)
    hidden = (distance < size * fraction / 2).to(images.dtype)
    return images * (1 - hidden[0][:, None, :, None] * hidden[1][:, None, None, :])


def shift_scale_rotate(images: Tensor, rng: Generator, shift: float, scale: float, degrees: float) -> Tensor:
    """An affine map about the centre; the border is mirrored.

    Args:
        shift: up to this fraction of a side.
        scale: zoom by a factor in [1 - scale, 1 + scale].
        degrees: rotation up to this angle.
    """
    angle = uniform(images, rng, -degrees, degrees).flatten() * math.pi / 180
    zoom = uniform(images, rng, 1 - scale, 1 + scale).flatten()
    x, y = (uniform(images, rng, -2 * shift, 2 * shift).flatten() for _ in range(2))  # grid units: a side is 2
    cos, sin = angle.cos() / zoom, angle.sin() / zoom
    theta = torch.stack([torch.stack([cos, -sin, x], 1), torch.stack([sin, cos, y], 1)], 1)  # (N, 2, 3)
    grid = F.affine_grid(theta, list(images.shape), align_corners=False).to(images.dtype)
    return F.grid_sample(images, grid, padding_mode="reflection", align_corners=False)


def standard(images: Tensor, rng: Generator) -> Tensor:
    """The usual perturbations for skin lesions (Perez et al. 2018, scenario J without crops)."""
    images = dihedral(images, rng)
    moved = shift_scale_rotate(images, rng, shift=0.06, scale=0.15, degrees=30)
    images = _sometimes(moved, images, rng, 0.7)
    images = contrast(brightness(images, rng, 0.15), rng, 0.2)
    images = hue(saturation(images, rng, 0.2), rng, 8)
    holed = cutout(images, rng, 0.3)
    return _sometimes(holed, images, rng, 0.3).clamp(-1, 1)


def rand_augment(images: Tensor, rng: Generator) -> Tensor:
    """Two operations of fourteen on each image, drawn afresh, at magnitude 9 of 30: torchvision's.

    Source: Cubuk et al. 2020, N = 2 and M = 9.
    """
    # it doubles a process's start, and is needed here alone
    from torchvision.transforms import InterpolationMode, v2  # type: ignore[import-untyped]

    transform = v2.RandAugment(num_ops=2, magnitude=9, interpolation=InterpolationMode.BILINEAR)
    pixels = ((images + 1) * 127.5).round().to(torch.uint8)
    with torch.random.fork_rng(devices=[]):  # it draws from the global stream
        torch.manual_seed(int(torch.randint(2**31, (1,), generator=rng, device=rng.device)))
        changed = torch.stack([transform(image) for image in pixels])
    return (changed.to(images.dtype) / 127.5 - 1).contiguous()


def symmetries(policy: Sequence[str]) -> Augmentation:
    """What ``diff_augment(policy)`` does without loss: flips and turns, but no shift, colour or hole.

    A discriminator that sees every image turned asks for no orientation, so a generator may draw all its images in
    one: they are to be turned as they are drawn.
    """
    return diff_augment([name for name in policy if name in ("flip", "dihedral")])


def diff_augment(policy: Sequence[str]) -> Augmentation:
    """Differentiable augmentation by the named parts, in this order.

    Source: Zhao et al. 2020; flip and dihedral are our additions.
    Strengths as there: brightness +-0.5, saturation 0-2, contrast 0.5-1.5; translation 1/8; cutout 1/2 of a side.
    Differs: what a translation brings into view is black, as the dark corners of dermoscopy are, not gray.
    """

    def color(images: Tensor, rng: Generator) -> Tensor:
        return contrast(saturation(brightness(images, rng, 0.5), rng, 1.0), rng, 0.5)

    parts: dict[str, Augmentation] = {
        "flip": flip,
        "dihedral": dihedral,
        "color": color,
        "translation": lambda images, rng: translation(images, rng, 0.125),
        "cutout": lambda images, rng: cutout(images, rng, 0.5),
    }

    def augment(images: Tensor, rng: Generator) -> Tensor:
        for name in policy:
            images = parts[name](images, rng)
        return images

    return augment
