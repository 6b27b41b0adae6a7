"""Settings of gan.variants.noise_dcgan."""

from pydantic import Field

from pipeline.params.generators.adversarial import AdversarialSettings


class Settings(AdversarialSettings):
    label_smoothing: float = Field(gt=0.5, le=1)  # the discriminator's target for real images; 1: none
    noise_inputs: bool  # whether the generator adds noise to its feature maps at every size
