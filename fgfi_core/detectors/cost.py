"""What a network costs to run."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn


def multiply_adds(module: nn.Module, *inputs: Tensor, call: Callable[..., Any] | None = None) -> int:
    """Multiply-adds of one call, counted in convolutions and linear layers; biases, norms and activations are free.

    call: what is run on the inputs, the module itself by default; for a detector's backbone `detector.features`.
    It runs in eval mode without gradients, and the module is left in the mode it was in.
    """
    total = 0

    def count(layer: nn.Module, _: tuple[Tensor, ...], output: Tensor) -> None:
        nonlocal total
        if isinstance(layer, nn.Conv2d | nn.Linear):
            # A weight [out, ...] makes each output value of its [...] products.
            total += output.numel() * layer.weight[0].numel()

    hooks = [m.register_forward_hook(count) for m in module.modules() if isinstance(m, nn.Conv2d | nn.Linear)]
    training = module.training
    module.eval()
    try:
        with torch.no_grad():
            (call or module)(*inputs)
    finally:
        module.train(training)
        for hook in hooks:
            hook.remove()
    return total
