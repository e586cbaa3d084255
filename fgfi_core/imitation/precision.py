"""The precision of losses: sums over many cells are taken in float32 whatever autocast made of the maps."""

import torch
from torch import Tensor


def exact(x: Tensor) -> Tensor:
    """`x` as float32; float64 stays, so that formulas can be checked in it."""
    return x if x.dtype == torch.float64 else x.float()
