"""ImageNet's mean and deviation, taken inside the network so that an exported file needs no recipe beside it."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

MEAN = (0.485, 0.456, 0.406)
DEVIATION = (0.229, 0.224, 0.225)


class Normalisation(nn.Module):
    """[B, 3, H, W] RGB in [0, 1] to zero mean and unit deviation, as ImageNet has them or as weights were trained."""

    mean: Tensor
    deviation: Tensor

    def __init__(self, mean: Sequence[float] = MEAN, deviation: Sequence[float] = DEVIATION) -> None:
        super().__init__()
        self.register_buffer("mean", torch.tensor(mean).reshape(1, 3, 1, 1), persistent=False)
        self.register_buffer("deviation", torch.tensor(deviation).reshape(1, 3, 1, 1), persistent=False)

    def forward(self, images: Tensor) -> Tensor:
        """Normalise."""
        return (images - self.mean) / self.deviation
