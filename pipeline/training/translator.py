"""The steps of the translator family: the generators', then the discriminator's on what they made."""

from typing import Any

import torch
from torch import Generator, Tensor, nn

from models.augment import symmetries
from models.generators.families import Translator
from pipeline.training.batches import Batches, EpochOrder, to_unit_range
from pipeline.training.ema import ema_decay, update_ema
from pipeline.training.generator import GeneratorRun, Remembering, RunInputs, Terms, mean_logits, optimizer_step


class TranslatorRun(GeneratorRun):
    """See GeneratorRun; ``told`` are the source images (M, S, H, W) uint8, a pair of each image if the variant asks.

    Images are turned as they are read, pairs together; other parts of ``diff_augment`` would tear pairs apart.
    """

    def __init__(self, variant: Translator, given: RunInputs) -> None:
        super().__init__(variant, variant.generator, given)
        self.variant: Translator = variant
        self.generators = self.placed(nn.ModuleDict({"kept": variant.generator, "companions": variant.companions}))
        self.placed(variant.discriminator)
        optimizers = variant.training.optimizers(self.generators, variant.discriminator)
        self.generator_optimizer, self.discriminator_optimizer = optimizers
        self.source_order = self.order if variant.paired else EpochOrder(len(self.told), given.seed + 1)
        self.source_batches = Batches(self.told, self.device)
        self.turned = symmetries(self.train.diff_augment)
        self.pools: list[ImagePool] = []

    def parts(self) -> dict[str, Any]:
        return {
            "generators": self.generators,
            "discriminator": self.variant.discriminator,
            "generator_optimizer": self.generator_optimizer,
            "discriminator_optimizer": self.discriminator_optimizer,
        }

    def state(self) -> dict[str, Any]:
        return super().state() | {"pools": [pool.images for pool in self.pools]}

    def load(self, state: dict[str, Any]) -> None:
        super().load(state)
        self.pools = [
            ImagePool(self.variant.pool_size, [each.to(self.device) for each in images]) for images in state["pools"]
        ]

    def step(self) -> Terms:
        variant, (sources, targets) = self.variant, self.next_pair()
        z = self.latents()
        variant.discriminator.requires_grad_(False)
        with self.autocast():
            losses, fakes = variant.generator_loss(variant.discriminator, sources, targets, z)
        terms = optimizer_step(losses, self.generators, self.generator_optimizer, "generator", self.ranks)
        variant.discriminator.requires_grad_(True)
        shown = self.pooled([fake.detach() for fake in fakes])
        discriminator = Remembering(variant.discriminator)
        with self.autocast():
            losses = variant.discriminator_loss(discriminator, sources, targets, shown)
        terms |= optimizer_step(
            losses, variant.discriminator, self.discriminator_optimizer, "discriminator", self.ranks
        )
        self.images_seen += self.train.batch_size
        update_ema(self.ema, variant.generator, ema_decay(self.train.batch_size, self.images_seen, self.train.ema_kimg))
        return terms | mean_logits(*discriminator.logits[:2])

    def next_pair(self) -> tuple[Tensor, Tensor]:
        """Sources (N, S, H, W) and targets (N, C, H, W) in [-1, 1], turned at random."""
        targets, _ = self.next_batch()
        sources = to_unit_range(self.source_batches.take(*self.chosen_by(self.source_order)))
        if not self.variant.paired:
            return self.turned(sources, self.rng), self.turned(targets, self.rng)
        pairs = self.turned(torch.cat([sources, targets], dim=1), self.rng)
        return pairs[:, : sources.shape[1]], pairs[:, sources.shape[1] :]

    def pooled(self, fakes: list[Tensor]) -> list[Tensor]:
        if not self.variant.pool_size:
            return fakes
        self.pools = self.pools or [ImagePool(self.variant.pool_size, []) for _ in fakes]
        return [pool.exchange(fake, self.rng) for pool, fake in zip(self.pools, fakes, strict=True)]


class ImagePool:
    """Earlier images, half of which stand in for new ones. Source: Zhu et al. 2017, section 4; Shrivastava et al. 2017.

    Args:
        images: (C, H, W) each, those that it holds already.
    """

    def __init__(self, size: int, images: list[Tensor]) -> None:
        self.size, self.images = size, images

    def exchange(self, new: Tensor, rng: Generator) -> Tensor:
        """As many images as are given, (N, C, H, W); one kept back takes the place of the one shown instead."""
        from_pool = torch.rand(len(new), generator=rng, device=rng.device).lt(0.5).tolist()
        places = torch.randint(self.size, (len(new),), generator=rng, device=rng.device).tolist()
        shown = []
        for image, old, place in zip(new, from_pool, places, strict=True):
            if len(self.images) < self.size:
                self.images.append(image.clone())  # a view would keep its whole batch
            elif old:
                image, self.images[place] = self.images[place], image.clone()
            shown.append(image)
        return torch.stack(shown)
