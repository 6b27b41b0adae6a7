"""A diffusion model, for contrast. Source: Ho, Jain, Abbeel 2020; drawn from by DDIM: Song, Meng, Ermon 2021.

Network and noise schedule are those of the diffusers library, an optional extra.
"""

import math
from typing import Any

import torch
from torch import Generator, Tensor, nn

from models.generators.families import Diffusion, OneRate
from models.layers import doublings

NOISE_LEVELS = 1000  # T of Ho et al.; their variances by the cosine schedule of Nichol and Dhariwal 2021


class Denoiser(nn.Module):
    """(z (N, C * H * W), labels (N,)) -> images (N, C, H, W) in [-1, 1]; the labels play no part.

    Args:
        network: noisy images (N, C, H, W) and their noise levels (N,) to the noise in them.
        schedule: of diffusers, DDIM.
        shape: (C, H, W).
        sampling_steps: noise levels that it passes on its way to an image; the same z gives the same image.
    """

    def __init__(self, network: nn.Module, schedule: Any, shape: tuple[int, int, int], sampling_steps: int) -> None:
        super().__init__()
        self.network, self.schedule, self.shape = network, schedule, shape
        self.schedule.set_timesteps(sampling_steps)

    def forward(self, z: Tensor, labels: Tensor) -> Tensor:
        x = z.view(-1, *self.shape)
        for level in self.schedule.timesteps:
            noise = self.network(x, level).sample.float()
            x = self.schedule.step(noise, level, x).prev_sample
        return x.clamp(-1, 1)

    def loss(self, images: Tensor, rng: Generator) -> dict[str, Tensor]:
        """|noise - network(noisy image, level)|^2, a mean over pixels, (N,). Source: Ho et al. 2020, eq. 14."""
        levels = torch.randint(NOISE_LEVELS, (len(images),), generator=rng, device=images.device)
        noise = torch.randn(images.shape, generator=rng, device=images.device)
        found = self.network(self.schedule.add_noise(images, noise, levels), levels).sample.float()
        return {"noise": (noise - found).square().flatten(1).mean(dim=1)}


def build(
    image_size: int,
    channels: int,
    classes: int,
    generator_features: int,
    layers: int,
    sampling_steps: int,
    **training: float,
) -> Diffusion:
    """The settings are those of ``gan.variants.ddpm``. A U-Net down to 8 px, with attention there."""
    from diffusers import DDIMScheduler, UNet2DModel  # an optional extra, and slow to import

    levels = doublings(image_size)
    network = UNet2DModel(
        sample_size=image_size,
        in_channels=channels,
        out_channels=channels,
        layers_per_block=layers,
        block_out_channels=tuple(generator_features * min(2**level, 4) for level in range(levels)),
        down_block_types=("DownBlock2D",) * (levels - 1) + ("AttnDownBlock2D",),
        up_block_types=("AttnUpBlock2D", *("UpBlock2D",) * (levels - 1)),
        attention_head_dim=generator_features,
        norm_num_groups=math.gcd(generator_features, 32),
    )
    schedule = DDIMScheduler(NOISE_LEVELS, beta_schedule="squaredcos_cap_v2", timestep_spacing="trailing")
    generator = Denoiser(network, schedule, (channels, image_size, image_size), sampling_steps)
    return Diffusion(
        generator=generator,
        latent_dim=channels * image_size**2,
        training=OneRate(**training),
        loss=generator.loss,
    )
