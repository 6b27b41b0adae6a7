"""A second, small graph: lesions and tumours outlined, and whether synthetic pairs of image and mask help.

Its stages are those of segmentation/dvc.yaml, one module each; what they share stands beside them. Networks, metrics
and storage are those of models/ and pipeline/. Every stage runs from the repository's root.
"""

import pipeline  # noqa: F401  what it sets is read when numpy and torch are imported, which stages do first
