"""Where and in which precision a run computes."""

import os
from dataclasses import dataclass
from typing import Literal

import torch
from torch import nn

from fgfi_core.environment import wanted_threads
from fgfi_core.errors import BadSpec
from fgfi_core.spec import Resources

# Set for a process that sees only its own device.
DEVICES_OF_ALL = "FGFI_CUDA_DEVICES"


@dataclass(frozen=True)
class Placement:
    """A device, the precision of forward passes on it, and the threads of the CPU side."""

    device: torch.device
    precision: Literal["fp32", "bf16"]
    threads: int

    @property
    def name(self) -> str:
        """What computes, in words: `cpu`, or `cuda: ` and the graphics card's own name."""
        if self.device.type == "cuda":
            return f"cuda: {torch.cuda.get_device_name(self.device)}"
        return self.device.type

    def place(self, module: nn.Module) -> None:
        """Move a model there; convolutions are fastest channels-last on both kinds of device."""
        module.to(device=self.device, memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch's stubs lack it

    def autocast(self) -> torch.autocast:
        """The context in which forward passes run."""
        return torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=self.precision == "bf16")


def devices_of_all() -> int:
    """CUDA devices of this machine that the processes of a run may use; one of several sees its own alone."""
    return int(os.environ.get(DEVICES_OF_ALL, torch.cuda.device_count()))


def choose(resources: Resources, precision: Literal["auto", "fp32", "bf16"]) -> Placement:
    """Make every `auto` a value: CUDA and bfloat16 where they are, else the CPU, float32 and `wanted_threads`.

    Several processes share the threads of a CPU. Raises BadSpec when `cuda` is asked for and missing, and when there
    are fewer CUDA devices than processes.
    """
    has_cuda = torch.cuda.is_available()
    if resources.device == "cuda" and not has_cuda:
        raise BadSpec(
            "resources.device is 'cuda', but torch sees no CUDA device here.",
            hint="Use 'auto' or 'cpu', or run on a machine with a working NVIDIA driver.",
        )
    device = torch.device("cuda" if has_cuda and resources.device != "cpu" else "cpu")
    if precision == "auto":
        precision = "bf16" if device.type == "cuda" and torch.cuda.is_bf16_supported() else "fp32"
    if device.type == "cuda" and resources.count > devices_of_all():
        raise BadSpec(
            f"resources.count is {resources.count}, but torch sees {devices_of_all()} CUDA devices here.",
            hint="Use as many at most, or run on a machine that has them.",
        )
    threads = max(1, wanted_threads() // resources.count) if resources.threads == "auto" else resources.threads
    return Placement(device, precision, threads)
