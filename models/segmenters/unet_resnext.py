"""A U-Net whose way down is a ResNeXt50 32x4d. Sources: Xie et al. 2017; Ronneberger, Fischer and Brox 2015."""

import torch
from torch import Tensor, nn

from models.segmenters.stages import Decoder, double_convolution, widths_of

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)
ENCODER_WIDTHS = (64, 256, 512, 1024, 2048)  # at a half, a quarter ... a 32nd of the side


class UNetResNeXt(nn.Module):
    """images (N, C, H, W) in [-1, 1] -> logits (N, H, W).

    Each of the encoder's five levels is projected by a 1x1 convolution to the width of a U-Net's, whose way up follows.

    Args:
        channels: with another number than 3 the first convolution is a new one, also behind trained weights.
        features: of the finest level.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, channels: int, features: int) -> None:
        super().__init__()
        # it doubles a process's start, and is needed here alone
        from torchvision.models import resnext50_32x4d  # type: ignore[import-untyped]

        self.encoder = resnext50_32x4d(weights=None)
        self.encoder.fc = nn.Identity()
        if channels != 3:
            self.encoder.conv1 = nn.Conv2d(channels, 64, 7, 2, 3, bias=False)
        widths = widths_of(features)
        self.lateral = nn.ModuleList([nn.Conv2d(*pair, 1) for pair in zip(ENCODER_WIDTHS, widths, strict=True)])
        self.decoder = Decoder(widths, double_convolution)
        double = nn.ConvTranspose2d(features, features, 2, 2)
        self.head = nn.Sequential(double, double_convolution(features, features), nn.Conv2d(features, 1, 1))
        mean, std = torch.tensor(IMAGENET_MEAN), torch.tensor(IMAGENET_STD)
        if channels != 3:
            mean, std = (of_colours.mean(0, keepdim=True) for of_colours in (mean, std))
        self.register_buffer("mean", mean.view(1, -1, 1, 1), persistent=False)
        self.register_buffer("std", std.view(1, -1, 1, 1), persistent=False)

    def forward(self, images: Tensor) -> Tensor:
        normalised = ((images + 1) / 2 - self.mean) / self.std
        maps = [layer(level) for layer, level in zip(self.lateral, self._levels(normalised), strict=True)]
        return self.head(self.decoder(maps)).squeeze(1)

    def _levels(self, images: Tensor) -> list[Tensor]:
        encoder = self.encoder
        levels = [encoder.relu(encoder.bn1(encoder.conv1(images)))]
        x = encoder.maxpool(levels[0])
        for layer in (encoder.layer1, encoder.layer2, encoder.layer3, encoder.layer4):
            x = layer(x)
            levels.append(x)
        return levels

    def load_pretrained(self, weights: dict[str, Tensor]) -> None:
        """Takes the encoder's weights; the last layer's, for ImageNet's classes, are left out.

        Args:
            weights: a state dict of torchvision's resnext50_32x4d.

        Raises:
            ValueError: if they are of another network.
        """
        own = self.encoder.state_dict()
        kept = {name: value for name, value in weights.items() if not name.startswith("fc.")}
        if own["conv1.weight"].shape[1] != 3:
            kept |= {"conv1.weight": own["conv1.weight"]}
        unlike = sorted(own.keys() ^ kept.keys()) or sorted(name for name in own if own[name].shape != kept[name].shape)
        if unlike:
            raise ValueError(
                f"the weights are not of a ResNeXt50 32x4d: {len(unlike)} entries differ, first {unlike[0]}"
            )
        self.encoder.load_state_dict(kept)


def build(channels: int, features: int) -> UNetResNeXt:
    return UNetResNeXt(channels, features)
