"""The EfficientNet classifier. Source: Tan and Le 2019; network from efficientnet-pytorch."""

from typing import Self

import torch
from efficientnet_pytorch import EfficientNet
from efficientnet_pytorch.utils import efficientnet, efficientnet_params
from torch import Tensor, nn

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)


class Classifier(nn.Module):
    """(images (N, C, H, W) in [-1, 1]) -> logits (N,) of malignancy.

    The network's pooled features, dropout, one linear layer; drop connect is its own, growing with depth up to 0.2.
    Differs from AIDL21-SAGAN's: there a batch norm stands before the dropout, the frozen blocks' batch norms are
    trained, and the convolution after the last block is not.

    Args:
        model: efficientnet-b0 ... efficientnet-b7.
        width, depth: coefficients; None: the model's own.
        image_size: px; fixes the padding.
        frozen_blocks: the stem and the first so many blocks keep weights and batch statistics, and drop nothing; 0:
            nothing is frozen.
        batch_norm_momentum: share of the new batch, as in torch.

    Raises:
        ValueError: if there are fewer blocks than ``frozen_blocks``.
    """

    mean: Tensor
    std: Tensor

    def __init__(
        self,
        *,
        model: str,
        width: float | None,
        depth: float | None,
        image_size: int,
        channels: int,
        frozen_blocks: int,
        batch_norm_momentum: float,
        dropout: float,
    ) -> None:
        super().__init__()
        own_width, own_depth, _, _ = efficientnet_params(model)
        blocks, settings = efficientnet(
            width_coefficient=width or own_width,
            depth_coefficient=depth or own_depth,
            dropout_rate=dropout,
            image_size=image_size,
            num_classes=1,
        )
        # efficientnet-pytorch counts the share of the old statistics, one minus torch's.
        self.network = EfficientNet(blocks, settings._replace(batch_norm_momentum=1 - batch_norm_momentum))
        if channels != 3:
            self.network._change_in_channels(channels)
        _use_native_layers(self.network)
        if frozen_blocks > len(self.network._blocks):
            raise ValueError(
                f"classifier.frozen_blocks is {frozen_blocks}; {model} has {len(self.network._blocks)} blocks"
            )
        # A plain list: registered a second time, the layers would stand twice in the state dict.
        stem = [self.network._conv_stem, self.network._bn0] if frozen_blocks else []
        self.frozen: list[nn.Module] = [*stem, *self.network._blocks[:frozen_blocks]]
        for layer in self.frozen:
            layer.requires_grad_(False)
        mean, std = torch.tensor(IMAGENET_MEAN), torch.tensor(IMAGENET_STD)
        if channels == 1:
            mean, std = mean.mean(0, keepdim=True), std.mean(0, keepdim=True)
        self.register_buffer("mean", mean.view(1, -1, 1, 1), persistent=False)
        self.register_buffer("std", std.view(1, -1, 1, 1), persistent=False)

    def train(self, mode: bool = True) -> Self:
        super().train(mode)
        for layer in self.frozen:
            layer.eval()  # frozen batch norm keeps its statistics too
        return self

    def forward(self, images: Tensor) -> Tensor:
        normalised = ((images + 1) / 2 - self.mean) / self.std
        return self.network(normalised).squeeze(1)

    def load_pretrained(self, weights: dict[str, Tensor]) -> None:
        """Takes every weight of the same model but the last layer, which has another number of classes.

        Args:
            weights: a state dict of efficientnet-pytorch.

        Raises:
            ValueError: if they are not of this model.
        """
        kept = {name: value for name, value in weights.items() if not name.startswith("_fc.")}
        own = {name: value for name, value in self.network.state_dict().items() if not name.startswith("_fc.")}
        unlike = sorted(own.keys() ^ kept.keys()) or sorted(name for name in own if own[name].shape != kept[name].shape)
        if unlike:
            raise ValueError(f"the weights are not of this model: {len(unlike)} entries differ, first {unlike[0]}")
        self.network.load_state_dict(kept, strict=False)


def _use_native_layers(network: EfficientNet) -> None:
    """The same function by torch's SiLU and, where a convolution pads both sides alike, its own padding."""
    for part in (network, *network._blocks):
        part._swish = nn.SiLU()
    for layer in network.modules():
        if isinstance(padding := getattr(layer, "static_padding", None), nn.ZeroPad2d):
            left, right, top, bottom = padding.padding
            if (left, top) == (right, bottom):
                layer.padding, layer.static_padding = (top, left), nn.Identity()
