"""What the block of every adversarial variant holds: its networks want their own optimizers."""

from pydantic import Field

from pipeline.params.section import VariantSettings


class TwoRates(VariantSettings):
    generator_learning_rate: float = Field(gt=0)
    discriminator_learning_rate: float = Field(gt=0)
    beta1: float = Field(ge=0, lt=1)  # of Adam, for both
    beta2: float = Field(gt=0, lt=1)
    generator_features: int = Field(ge=4)  # feature maps next to the image; doubled at every halving
    discriminator_features: int = Field(ge=4)  # the same


class AdversarialSettings(TwoRates):
    latent_dim: int = Field(gt=0)
    lecam_weight: float = Field(ge=0)  # holds the logits of each side to the other's average; 0: not at all
    minibatch_stddev: bool  # the discriminator sees how much the images of a batch differ
