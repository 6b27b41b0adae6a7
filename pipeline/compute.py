"""Device, threads and precision."""

import sys
from contextlib import AbstractContextManager

import torch

from pipeline.cores import available_cores
from pipeline.errors import InputError
from pipeline.params.reader import lookup, read_tree


def take_threads(threads: int) -> None:
    """So many work on the CPU from now on, whatever the machine's cores.

    Each adds up its part of a sum, so their number decides the last bits, and stands among the params.
    """
    torch.set_num_threads(threads)
    if threads > (cores := available_cores()):
        print(
            f"compute.threads is {threads} and this process may run on {cores} of the machine's cores: threads that "
            f"wait for each other may take ten times as long; {cores} would be faster, with results of other last bits",
            file=sys.stderr,
        )


def take_device(threads: int) -> torch.device:
    """``compute.device``, which no stage lists among its params: it says where, and changes no result.

    Args:
        threads: see ``take_threads``.

    Raises:
        InputError: if that device is not there.
    """
    take_threads(threads)
    wanted = lookup(read_tree(), "compute.device")
    found = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if wanted == "auto":
        return torch.device("cuda" if found["cuda"] else "cpu")
    if not found.get(wanted):
        raise InputError(f"compute.device is {wanted}, which this machine does not offer; use auto or cpu")
    return torch.device(wanted)


def arithmetic(device: torch.device) -> str:
    """Of the machine, what decides the last bits of a sum and what ``precision: auto`` comes to."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"{device.type} {torch.backends.cpu.get_cpu_capability()} {torch.cpu._is_avx512_bf16_supported()}"


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
