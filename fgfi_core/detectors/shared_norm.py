"""Batch norms by the statistics of all processes' images, so that several are one with the whole batch.

torch's own SyncBatchNorm does this on CUDA alone.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from fgfi_core.processes import added, processes


@contextmanager
def shared_norms(model: nn.Module) -> Iterator[None]:
    """Within it the model's batch norms, where they train, are those of all processes together."""
    norms = [module for module in model.modules() if type(module) is nn.BatchNorm2d] if processes() > 1 else []
    for norm in norms:
        norm.__class__ = _SharedNorm
    try:
        yield
    finally:
        for norm in norms:
            norm.__class__ = nn.BatchNorm2d


class _SharedNorm(nn.BatchNorm2d):
    def forward(self, x: Tensor) -> Tensor:
        if not self.training or processes() == 1:
            return super().forward(x)
        with torch.autocast(x.device.type, enabled=False):
            whole = x.float()
            count = processes() * whole.numel() // whole.shape[1]
            mean = added(whole.sum((0, 2, 3))) / count
            centred = whole - mean[:, None, None]
            variance = added(centred.square().sum((0, 2, 3))) / count
            self._remember(mean.detach(), variance.detach() * count / (count - 1))
            scale = self.weight * (variance + self.eps).rsqrt()
            return (centred * scale[:, None, None] + self.bias[:, None, None]).to(x.dtype)

    @torch.no_grad()
    def _remember(self, mean: Tensor, variance: Tensor) -> None:
        """Running statistics, as torch keeps them."""
        if self.running_mean is None or self.running_var is None or self.num_batches_tracked is None:
            return
        self.num_batches_tracked += 1
        momentum = 1 / float(self.num_batches_tracked) if self.momentum is None else self.momentum
        self.running_mean.lerp_(mean, momentum)
        self.running_var.lerp_(variance, momentum)
