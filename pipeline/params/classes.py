"""The two classes."""

from typing import Literal

ClassName = Literal["benign", "malignant"]

TARGETS: dict[ClassName, int] = {"benign": 0, "malignant": 1}
