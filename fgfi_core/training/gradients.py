"""Gradients and scalars of a step, averaged over the processes that train together."""

from collections.abc import Iterable, Mapping

import torch
from torch import Tensor, nn

from fgfi_core.processes import processes, summed


def average_gradients(parameters: Iterable[nn.Parameter]) -> None:
    """Make each gradient the mean of all processes'; where some have none, theirs counts as zeros.

    One exchange for all of them, once a step: after its last micro-batch, before the clipping.
    """
    if processes() == 1:
        return
    learning = [parameter for parameter in parameters if parameter.requires_grad]
    if not learning:
        return
    reached = summed(torch.tensor([int(parameter.grad is not None) for parameter in learning]))
    learning = [parameter for parameter, count in zip(learning, reached.tolist(), strict=True) if count]
    for parameter in learning:
        if parameter.grad is None:
            parameter.grad = torch.zeros_like(parameter)
    gradients = [parameter.grad for parameter in learning if parameter.grad is not None]
    total = summed(torch.cat([gradient.flatten() for gradient in gradients])) / processes()
    parts = torch.split(total, [gradient.numel() for gradient in gradients])
    for gradient, part in zip(gradients, parts, strict=True):
        gradient.copy_(part.view(gradient.shape))


def averaged(values: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Each scalar's mean over processes; no process waits for its device."""
    if processes() == 1 or not values:
        return dict(values)
    device = next(iter(values.values())).device
    means = summed(torch.stack([value.float().to(device) for value in values.values()])) / processes()
    return dict(zip(values, means.unbind(), strict=True))
