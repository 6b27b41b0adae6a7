"""Device and precision."""

from contextlib import AbstractContextManager

import torch

from pipeline.errors import InputError
from pipeline.params.reader import lookup, read_tree


def read_device() -> torch.device:
    """``compute.device``, which no stage lists among its params: it says where, and changes no result.

    Raises:
        InputError: if that device is not there.
    """
    wanted = lookup(read_tree(), "compute.device")
    found = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if wanted == "auto":
        return torch.device("cuda" if found["cuda"] else "cpu")
    if not found.get(wanted):
        raise InputError(f"compute.device is {wanted}, which this machine does not offer; use auto or cpu")
    return torch.device(wanted)


def autocast(device: torch.device, precision: str, *, cpu_gains: bool) -> AbstractContextManager[None]:
    """Automatic mixed precision in bfloat16, or none.

    Args:
        precision: fp32, bf16, or auto: bf16 where the device has it in hardware and it is faster.
        cpu_gains: whether the networks run faster in bf16 on a CPU: the generators do, EfficientNet does not.
    """
    if precision == "auto":
        bf16 = cpu_gains and torch.cpu._is_avx512_bf16_supported() if device.type == "cpu" else _cuda_has_bf16(device)
    else:
        bf16 = precision == "bf16"
    return torch.autocast(device.type, torch.bfloat16, enabled=bf16)


def _cuda_has_bf16(device: torch.device) -> bool:
    return device.type == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False)
