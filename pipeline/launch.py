"""Starting the processes that train one network together: ``compute.devices`` on this machine.

Where torchrun or srun started several, on one machine or on many, those are the processes.
"""

import os
import sys
from typing import cast

import torch
from torch import Tensor
from torch.distributed import is_torchelastic_launched

from pipeline.compute import take_device
from pipeline.errors import InputError
from pipeline.params.reader import lookup, read_tree
from pipeline.training.ranks import Ranks


def start_ranks(threads: int) -> Ranks:
    """Starts the other processes, or joins them; every one of them runs the stage from its beginning.

    Args:
        threads: of each on the CPU.

    Raises:
        InputError: if the machine has fewer devices.
    """
    device = take_device(threads)
    started = _started_already()
    nodes, devices = started or (1, _wanted_devices(device, lookup(read_tree(), "compute.devices")))
    if nodes * devices == 1:
        return Ranks(device=device)
    from lightning_fabric import Fabric  # it takes a second to import, and most trainings have one process
    from lightning_fabric.plugins.environments.lightning import LightningEnvironment

    # A job of several tasks whose script runs `dvc repro` is no reason to wait for the others.
    launcher = None if started else LightningEnvironment()
    fabric = Fabric(accelerator=device.type, devices=devices, num_nodes=nodes, strategy="ddp", plugins=launcher)
    fabric.launch()
    return Ranks(
        fabric.global_rank,
        fabric.world_size,
        lambda values: cast(Tensor, fabric.all_reduce(values, reduce_op="mean")),
        device,
    )


def end_others(ranks: Ranks) -> None:
    """Ends every process but the first: the training that took them all is over."""
    if not ranks.first:
        sys.exit()


def _started_already() -> tuple[int, int] | None:
    """Machines, and processes on each, where torchrun or srun started several."""
    environment = os.environ
    if is_torchelastic_launched():
        here = int(environment["LOCAL_WORLD_SIZE"])
        return int(environment["WORLD_SIZE"]) // here, here
    tasks = int(environment.get("SLURM_STEP_NUM_TASKS", "1"))
    if tasks > 1:
        nodes = int(environment["SLURM_STEP_NUM_NODES"])
        return nodes, tasks // nodes
    return None


def _wanted_devices(device: torch.device, wanted: int | str) -> int:
    there = torch.cuda.device_count() if device.type == "cuda" else 1
    if wanted == "auto":
        return there
    if device.type != "cpu" and int(wanted) > there:
        raise InputError(f"compute.devices is {wanted}, and this machine has {there} of {device.type}; use auto")
    return int(wanted)
