"""Where and how precisely to compute."""

from typing import Annotated, Literal

from pydantic import Field

from pipeline.params.section import Section


class ComputeParams(Section):
    device: Literal["auto", "cpu", "cuda", "mps"]
    precision: Literal["auto", "fp32", "bf16"]
    threads: int = Field(ge=1)  # of each process, whatever the machine's cores: sums depend on it in their last bits
    devices: Literal["auto"] | Annotated[int, Field(ge=1)]  # processes that train one network together
