"""Sets that no part of a run has seen: how the classifiers do elsewhere."""

from pipeline.params.phantom import PhantomParams
from pipeline.params.section import Section
from pipeline.params.source import Label


class ExternalSet(Section):
    """Metadata and images as those of ``source``."""

    metadata: str  # a folder of JSON records, a CSV file, or a folder of CSVs of one format
    images: str  # the folder that `file` in the metadata is relative to
    columns: dict[str, str]  # column of data/metadata.csv: column of the CSV; empty: a known format
    labels: dict[str, Label]  # value of the label column, or a diagnosis code: our label; empty: the vocabulary


class ExternalParams(Section):
    phantom: PhantomParams  # another phantom than the one that is trained on
    sets: dict[str, ExternalSet]  # by the name under which each is reported
