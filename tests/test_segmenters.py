"""Segmenters: the contract, over the whole registry; their losses against closed forms."""

import math

import pytest
import torch
from torch import Tensor, nn

from models.segmentation_losses import SEGMENTATION_LOSSES, bce, bce_sampled, dice, dice_bce, iou
from models.segmenters import SEGMENTERS, build_segmenter
from models.segmenters.unet_residual import ResidualBlock

ROWS = ("fpn", "unet", "unet_residual", "unet_resnext")
SURE = 40.0  # a logit whose sigmoid is 1 in float32


def built(name: str, channels: int = 3) -> nn.Module:
    torch.manual_seed(0)
    return build_segmenter(name, channels, features=2)


def images(channels: int = 3, count: int = 2) -> Tensor:
    return torch.rand(count, channels, 32, 64, generator=torch.Generator().manual_seed(0)) * 2 - 1


def rng() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def test_the_registry_is_sorted_and_an_unknown_name_is_told_the_known_ones() -> None:
    assert tuple(SEGMENTERS) == ROWS
    with pytest.raises(ValueError, match="'segnet'; known architectures: fpn, unet, unet_residual, unet_resnext"):
        build_segmenter("segnet", 3, features=2)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("name", SEGMENTERS)
def test_logits_have_the_size_of_the_images(name: str, channels: int) -> None:
    assert built(name, channels)(images(channels)).shape == (2, 32, 64)


@pytest.mark.parametrize("name", SEGMENTERS)
def test_every_parameter_gets_a_gradient(name: str) -> None:
    network = built(name)
    (network(images(count=4)) ** 2).mean().backward()
    for parameter_name, parameter in network.named_parameters():
        assert parameter.grad is not None, parameter_name
        assert parameter.grad.abs().sum() > 0, parameter_name


@pytest.mark.parametrize("name", SEGMENTERS)
def test_evaluation_is_deterministic_and_image_by_image(name: str) -> None:
    network = built(name).eval()
    with torch.no_grad():
        together, again, alone = network(images()), network(images()), network(images()[1:])
    assert torch.equal(together, again)
    assert torch.allclose(together[1:], alone, atol=1e-4)


@pytest.mark.parametrize("name", SEGMENTERS)
def test_weights_survive_a_state_dict(name: str) -> None:
    network = built(name)
    network(images())  # batch norms are weights too
    torch.manual_seed(1)
    other = build_segmenter(name, 3, features=2)
    other.load_state_dict(network.state_dict())
    with torch.no_grad():
        assert torch.equal(network.eval()(images()), other.eval()(images()))


@pytest.mark.parametrize("name", SEGMENTERS)
def test_every_layer_runs_once(name: str) -> None:
    """A residual U-Net whose up-convolutions run twice trains, and is something else."""
    network, calls = built(name), dict[str, int]()
    for layer_name, layer in network.named_modules():
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
            calls[layer_name] = 0
            layer.register_forward_hook(
                lambda *_, layer_name=layer_name: calls.update({layer_name: calls[layer_name] + 1})
            )
    network(images())
    assert set(calls.values()) == {1}


def test_the_residual_u_net_skips_inside_each_of_its_nine_blocks() -> None:
    blocks = [layer for layer in built("unet_residual").modules() if isinstance(layer, ResidualBlock)]
    assert len(blocks) == 9
    block = blocks[0].eval()
    nn.init.zeros_(block.inner[2].weight)  # the last norm: nothing comes of the two convolutions
    x = torch.rand(1, 3, 8, 8)
    assert torch.equal(block(x), torch.relu(block.shortcut(x)))


def test_a_resnext_takes_the_weights_of_its_encoder_only() -> None:
    from torchvision.models import resnext50_32x4d

    weights = resnext50_32x4d(weights=None).state_dict()
    network = built("unet_resnext")
    network.load_pretrained(weights)
    assert torch.equal(network.encoder.layer4[0].conv2.weight, weights["layer4.0.conv2.weight"])
    built("unet_resnext", channels=1).load_pretrained(weights)
    del weights["layer1.0.conv1.weight"]
    with pytest.raises(ValueError, match=r"1 entries differ, first layer1\.0\.conv1"):
        network.load_pretrained(weights)


@pytest.mark.parametrize("name", SEGMENTATION_LOSSES)
def test_losses_are_lower_for_the_better_prediction(name: str) -> None:
    masks = torch.zeros(2, 8, 8)
    masks[:, 2:6, 2:6] = 1
    loss = SEGMENTATION_LOSSES[name]
    good, bad = 4 * masks - 2, torch.zeros(2, 8, 8)
    assert loss(good, masks, rng()).shape == ()
    assert loss(good, masks, rng()) < loss(bad, masks, rng())


def test_overlap_losses_of_known_areas() -> None:
    """Predicted 8 px, true 12 px, both 4 px; 1 px of smoothing."""
    logits, masks = torch.full((1, 1, 20), -SURE), torch.zeros(1, 1, 20)
    logits[..., :8], masks[..., 4:16] = SURE, 1
    assert dice(logits, masks, rng()).item() == pytest.approx(1 - 9 / 21)
    assert iou(logits, masks, rng()).item() == pytest.approx(1 - 5 / 17)


def test_overlap_losses_are_those_of_the_batch_so_that_an_empty_mask_teaches_too() -> None:
    """Two images: 8 px predicted of 12 true ones, 4 shared; then 5 px predicted where nothing is."""
    logits, masks = torch.full((2, 1, 20), -SURE), torch.zeros(2, 1, 20)
    logits[0, :, :8], masks[0, :, 4:16], logits[1, :, :5] = SURE, 1, SURE
    assert dice(logits, masks, rng()).item() == pytest.approx(1 - 9 / 26)
    assert iou(logits, masks, rng()).item() == pytest.approx(1 - 5 / 22)


def test_an_empty_mask_predicted_empty_costs_nothing() -> None:
    logits, masks = torch.full((1, 4, 4), -SURE), torch.zeros(1, 4, 4)
    for loss in (dice, iou, bce, bce_sampled, dice_bce):
        assert loss(logits, masks, rng()).item() == pytest.approx(0, abs=1e-6)


def test_cross_entropy_is_a_mean_over_pixels_of_logits() -> None:
    logits, masks = torch.tensor([[[0.0, 1.0]]]), torch.tensor([[[1.0, 0.0]]])
    expected = (math.log(2) + math.log1p(math.e)) / 2
    assert bce(logits, masks, rng()).item() == pytest.approx(expected)
    assert dice_bce(logits, masks, rng()).item() == pytest.approx(expected + dice(logits, masks, rng()).item())


def test_sampled_cross_entropy_sees_half_of_the_pixels_and_others_at_each_step() -> None:
    """With one pixel of the three images that costs 2^i for every i, the sum tells which pixels were chosen."""
    stream, masks = rng(), torch.zeros(3, 2, 4)
    cost = 2.0 ** torch.arange(24, dtype=torch.float64)
    logits = torch.where(cost < 30, torch.log(torch.expm1(cost.clamp(max=30))), cost).view(3, 2, 4)  # of softplus
    sums = torch.stack([bce_sampled(logits, masks.double(), stream) * 12 for _ in range(8)]).round().long()
    chosen = (sums[:, None] >> torch.arange(24) & 1).view(8, 3, 8)  # (steps, N, pixels)
    assert (chosen.sum(dim=2) == 4).all()
    assert chosen.float().mean(dim=(0, 1)).min() > 0.2  # no pixel is always left out
    assert len(torch.unique(chosen.flatten(0, 1), dim=0)) > 8
