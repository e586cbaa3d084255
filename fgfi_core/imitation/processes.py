"""Several processes that train one model: what is counted over a batch is counted over all their batches."""

import torch.distributed as dist
from torch import Tensor


def summed(x: Tensor) -> Tensor:
    """Sum of `x` over all processes, without a graph and without waiting for it; `x` itself in a single one."""
    if processes() == 1:
        return x
    total = x.detach().clone()
    dist.all_reduce(total)
    return total


def processes() -> int:
    """How many train together."""
    return dist.get_world_size() if dist.is_available() and dist.is_initialized() else 1
