"""The split into train, val and test."""

from typing import Self

from pydantic import Field, model_validator

from pipeline.params.section import Section


class GroupedSplitParams(Section):
    train: float = Field(gt=0, lt=1)
    val: float = Field(gt=0, lt=1)
    test: float = Field(gt=0, lt=1)
    # Two images are of the same lesion if their thumbnails correlate at least so well; a little less if their
    # perceptual hashes differ by at most so many bits of 255. At 1 and 0: only the very same file.
    duplicate_correlation: float = Field(gt=0, le=1)
    duplicate_distance: int = Field(ge=0, le=72)

    @model_validator(mode="after")
    def _sum_to_one(self) -> Self:
        total = self.train + self.val + self.test
        if abs(total - 1) > 1e-6:
            raise ValueError(f"train + val + test must be 1, got {total:g}")
        return self


class SplitParams(GroupedSplitParams):
    official: bool  # keep the split that the metadata names, but for groups that it tears apart
