"""Settings of gan.variants.dcgan."""

from typing import Literal

from pydantic import Field

from pipeline.params.generators.adversarial import AdversarialSettings


class Settings(AdversarialSettings):
    loss: Literal["minimax", "non_saturating"]
    label_smoothing: float = Field(gt=0.5, le=1)  # the discriminator's target for real images; 1: none
    generator_activation: Literal["relu", "leaky_relu"]
    light: bool  # a smaller discriminator that ends in a fully connected layer
