"""Sets that no part of a run has seen: how the classifiers do elsewhere."""

from pipeline.params.phantom import PhantomParams
from pipeline.params.section import OwnKey, Section
from pipeline.params.source import ImageSet


class ExternalParams(Section):
    phantom: PhantomParams  # another phantom than the one that is trained on
    sets: dict[OwnKey, ImageSet]  # by the name under which each is reported
