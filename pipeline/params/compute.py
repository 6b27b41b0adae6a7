"""Where and how precisely to compute."""

from typing import Annotated, Literal

from pydantic import Field

from pipeline.params.section import Section


class ComputeParams(Section):
    device: Literal["auto", "cpu", "cuda", "mps"]
    precision: Literal["auto", "fp32", "bf16"]
    devices: Literal["auto"] | Annotated[int, Field(ge=1)]  # processes that train one network together
