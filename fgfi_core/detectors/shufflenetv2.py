"""ShuffleNetV2 trunks up to stride 16 (Ma et al., ECCV 2018), from torchvision's building blocks."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torchvision.models.shufflenetv2 import InvertedResidual


@dataclass(frozen=True)
class Trunk:
    """One trunk. The stem and the pool halve the image once each; every stage halves it once more.

    stem: channels of the stem. stages: (channels, units) of each stage. pool: whether a max-pool follows the stem.
    """

    stem: int
    stages: tuple[tuple[int, int], ...]
    pool: bool = True

    @property
    def channels(self) -> int:
        """Channels of the last map."""
        return self.stages[-1][0]

    @property
    def halvings(self) -> int:
        """How often the image is halved; the stride is 2 to this power."""
        return 1 + int(self.pool) + len(self.stages)

    def build(self) -> nn.Sequential:
        """The trunk as a module, [B, 3, H, W] to [B, channels, ceil(H / stride), ceil(W / stride)]."""
        layers: list[nn.Module] = [
            nn.Conv2d(3, self.stem, 3, stride=2, padding=1, bias=False),
            nn.BatchNorm2d(self.stem),
            nn.ReLU(inplace=True),
        ]
        if self.pool:
            layers.append(nn.MaxPool2d(3, stride=2, padding=1))
        before = self.stem
        for channels, units in self.stages:
            for unit in range(units):
                layers.append(Unit(before, channels, stride=2 if unit == 0 else 1))
                before = channels
        return nn.Sequential(*layers)


class Unit(InvertedResidual):  # type: ignore[misc]  # torchvision publishes no types.
    """torchvision's unit, with concatenation and channel shuffle done in one copy.

    Interleaving the two branches is what "concatenate, then shuffle in two groups" does; doing it in the memory format
    of the data saves a conversion at every unit, a tenth of a training step on a CPU.
    """

    def __init__(self, before: int, channels: int, stride: int) -> None:
        super().__init__(before, channels, stride)
        self.half = channels // 2

    def forward(self, x: Tensor) -> Tensor:
        """[B, C, H, W] to [B, C', H / stride, W / stride]."""
        if self.stride == 1:
            left, right = torch.split(x, self.half, dim=1)
            right = self.branch2(right)
        else:
            left, right = self.branch1(x), self.branch2(x)
        if right.is_contiguous(memory_format=torch.channels_last):
            return torch.stack((left.permute(0, 2, 3, 1), right.permute(0, 2, 3, 1)), -1).flatten(3).permute(0, 3, 1, 2)
        return torch.stack((left, right), dim=2).flatten(1, 2)
