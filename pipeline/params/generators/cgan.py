"""Settings of gan.variants.cgan."""

from pydantic import Field

from pipeline.params.generators.adversarial import AdversarialSettings


class Settings(AdversarialSettings):
    label_smoothing: float = Field(gt=0.5, le=1)  # the discriminator's target for real images; 1: none
