"""What the block of every adversarial variant holds: its networks want their own optimizers."""

from pydantic import Field

from pipeline.params.section import Section


class AdversarialSettings(Section):
    generator_learning_rate: float = Field(gt=0)
    discriminator_learning_rate: float = Field(gt=0)
    beta1: float = Field(ge=0, lt=1)  # of Adam, for both
    beta2: float = Field(gt=0, lt=1)
    latent_dim: int = Field(gt=0)
    generator_features: int = Field(ge=4)  # feature maps next to the image; doubled at every halving
    discriminator_features: int = Field(ge=4)  # the same
