"""Several processes that train one model: what is counted over a batch is counted over all their batches.

Each has an equal part of every batch, in the order of its rank. A loss is each one's own, such that their mean is the
loss of one process with the whole batch; gradients are then averaged. All ask for the same things at the same time.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor

_is_alone: ContextVar[bool] = ContextVar("alone", default=False)


def processes() -> int:
    """How many train together; 1 within `alone`."""
    return 1 if _is_alone.get() or not _is_joined() else dist.get_world_size()


def rank() -> int:
    """Which of them this is, from 0; the first one says what happens, evaluates and writes."""
    return 0 if _is_alone.get() or not _is_joined() else dist.get_rank()


@contextmanager
def alone() -> Iterator[None]:
    """What one process does while the others wait for it, as if there were none."""
    before = _is_alone.set(True)
    try:
        yield
    finally:
        _is_alone.reset(before)


def summed(x: Tensor) -> Tensor:
    """Sum of `x` over all processes, without a graph and without waiting for it; `x` itself in a single one."""
    if processes() == 1:
        return x
    total = x.detach().clone()
    dist.all_reduce(total)
    return total


def added(x: Tensor) -> Tensor:
    """Sum of `x` over all processes, with a graph: the gradients that all of them have at it add up, too."""
    total: Tensor = x if processes() == 1 else _Added.apply(x)
    return total


def counts(own: int) -> list[int]:
    """Each process's number, in the order of the ranks. Waits for all."""
    return [int(number) for number in gathered(torch.tensor(own))]


def gathered(x: Tensor) -> Tensor:
    """`x` of all, [P, ...] in the order of the ranks; of one shape in each, on the CPU. Waits for all."""
    if processes() == 1:
        return x[None]
    every = [torch.empty_like(x) for _ in range(processes())]
    dist.all_gather(every, x)
    return torch.stack(every)


def part_of(whole: Tensor, lengths: list[int]) -> Tensor:
    """This process's rows of a tensor with the rows of all. lengths: rows of each, as `counts` has them."""
    first = sum(lengths[: rank()])
    return whole[first : first + lengths[rank()]]


def told(*words: bool) -> tuple[bool, ...]:
    """What the first process says; the others' words count nothing. Waits for all."""
    if processes() == 1:
        return words
    said = torch.tensor([int(word) for word in words])
    dist.broadcast(said, src=0)
    return tuple(bool(word) for word in said)


def meet() -> None:
    """Return once all are here."""
    counts(0)


def _is_joined() -> bool:
    return dist.is_available() and dist.is_initialized()


class _Added(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:  # noqa: ARG004 - nothing is kept
        total = x.clone()
        dist.all_reduce(total)
        return total

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:  # noqa: ARG004 - as above
        total = gradient.clone()
        dist.all_reduce(total)
        return total
