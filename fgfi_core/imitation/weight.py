"""The weight of the imitation loss, found by measuring gradients, since no number transfers between models."""

import math
import statistics
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from fgfi_core.imitation.precision import exact
from fgfi_core.processes import summed


class GradientBalance:
    """Finds lambda such that imitation pulls at the imitated maps `balance` times as hard as detection does.

    balance: wanted |lambda * dL_im/dmap| / |dL_gt/dmap|. steps: measurements before lambda is frozen; a step where a
    norm is zero (no masked cell) or not finite is not one.

    The adapter starts near zero, so the first ratios are up to a hundred times too large and fall as it learns. While
    measuring, `value` therefore follows the newest ratio; frozen, it is the median of the later half.

    Over several processes the gradients of all are measured, so that lambda is the same in each: that of one process
    with the whole batch.

    Each measurement costs one more backward pass through heads and adapter, not through the backbone, and a wait for
    the device.
    """

    def __init__(self, balance: float, steps: int) -> None:
        if balance <= 0 or steps < 1:
            raise ValueError(f"balance must be positive and steps at least 1, not {balance} and {steps}")
        self.balance = balance
        self.steps = steps
        self._ratios: list[float] = []

    @property
    def value(self) -> float | None:
        """Lambda to use now; None before the first measurement."""
        if not self._ratios:
            return None
        ratio = statistics.median(self._ratios[self.steps // 2 :]) if self.frozen else self._ratios[-1]
        return self.balance * ratio

    @property
    def frozen(self) -> bool:
        """Whether lambda is final."""
        return len(self._ratios) >= self.steps

    def update(self, detection_loss: Tensor, imitation_loss: Tensor, maps: Sequence[Tensor]) -> None:
        """Measure once, unless frozen; the graph is kept for the training step's own backward pass.

        detection_loss, imitation_loss: scalars, unweighted. maps: the student's imitated maps they were computed from.
        """
        if self.frozen:
            return
        detection, imitation = _norm(detection_loss, maps), _norm(imitation_loss, maps)
        if 0 < detection < math.inf and 0 < imitation < math.inf:
            self._ratios.append(detection / imitation)

    def state_dict(self) -> dict[str, Any]:
        """What a checkpoint must hold."""
        return {"ratios": list(self._ratios)}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue from `state_dict()`."""
        self._ratios = [float(ratio) for ratio in state["ratios"]]


def _norm(loss: Tensor, maps: Sequence[Tensor]) -> float:
    """Euclidean norm of the gradient of `loss` at all maps together, those of all processes included."""
    gradients = torch.autograd.grad(loss, list(maps), retain_graph=True, materialize_grads=True)
    norms = torch.stack([torch.linalg.vector_norm(exact(g)) for g in gradients])
    return math.sqrt(summed(norms.double().square().sum()))
