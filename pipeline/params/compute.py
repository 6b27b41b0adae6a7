"""Where and how precisely to compute."""

from typing import Literal

from pipeline.params.section import Section


class ComputeParams(Section):
    device: Literal["auto", "cpu", "cuda", "mps"]
    precision: Literal["auto", "fp32", "bf16"]
