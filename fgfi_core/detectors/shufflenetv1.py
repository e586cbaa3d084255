"""The toy detector's backbone: ShuffleNet v1 units (Zhang et al., CVPR 2018), three groups, stride 16.

Stride-2 layers pad as TensorFlow's "same" does: on an even side only at the far end. Cell i then looks at pixel
16 i + 15.5, which is where the family's anchors are; padding both sides would leave them a whole cell apart.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

GROUPS = 3
# Units of the three groups; the first unit of each halves the map.
UNITS = (4, 6, 4)
HALVINGS = 1 + len(UNITS)


def backbone(stem: int, groups: tuple[int, int, int], last: int, image_size: tuple[int, int]) -> nn.Sequential:
    """The backbone, [B, 3, H, W] to [B, last, ceil(H / 16), ceil(W / 16)].

    stem, groups, last: channels. image_size: (width, height) in pixels, fixed because padding depends on its parity.
    """
    size = image_size
    layers: list[nn.Module] = [
        nn.Conv2d(3, stem, 3, padding=1, bias=False),
        nn.BatchNorm2d(stem),
        nn.ReLU(inplace=True),
        nn.ZeroPad2d(same_padding(size)),
        nn.MaxPool2d(3, stride=2),
    ]
    size = halved(size)
    before = stem
    for channels, units in zip(groups, UNITS, strict=True):
        layers.append(HalvingUnit(before, channels, size, first=before == stem))
        size = halved(size)
        layers += [Unit(channels, channels, shortcut=True) for _ in range(units - 1)]
        before = channels
    layers += [Unit(before, before, shortcut=True), Unit(before, last, shortcut=False)]
    return nn.Sequential(*layers)


def halved(size: tuple[int, int]) -> tuple[int, int]:
    """(width, height) after a "same" layer of stride 2."""
    return -(-size[0] // 2), -(-size[1] // 2)


def same_padding(size: tuple[int, int]) -> tuple[int, int, int, int]:
    """Left, right, top and bottom zeros that a 3x3 window with stride 2 needs on a map of (width, height)."""
    return size[0] % 2, 1, size[1] % 2, 1


class Unit(nn.Module):
    """1x1 to a quarter of the channels, shuffle, 3x3 depthwise, 1x1; then ReLU, with or without a shortcut before."""

    def __init__(self, before: int, channels: int, *, shortcut: bool) -> None:
        super().__init__()
        self.shortcut = shortcut
        self.branch = _branch(before, channels, bottleneck=channels // 4, groups=GROUPS, pad=None)

    def forward(self, x: Tensor) -> Tensor:
        """[B, before, H, W] to [B, channels, H, W]."""
        y = self.branch(x)
        return functional.relu(x + y if self.shortcut else y)


class HalvingUnit(nn.Module):
    """The same with stride 2: the pooled input itself fills the first channels, the branch fills the others."""

    gain: Tensor

    def __init__(self, before: int, channels: int, size: tuple[int, int], *, first: bool) -> None:
        super().__init__()
        padding = same_padding(size)
        # The stem's few channels are not split into groups.
        groups = 1 if first else GROUPS
        self.branch = _branch(before, channels - before, bottleneck=channels // 4, groups=groups, pad=padding)
        self.pool = nn.Sequential(nn.ZeroPad2d(padding), nn.AvgPool2d(3, stride=2))
        # The mean is over what lies inside the map: scaling a plain mean gives that, in any export.
        self.register_buffer("gain", 1 / self.pool(torch.ones(1, 1, size[1], size[0])), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """[B, before, H, W] to [B, channels, ceil(H / 2), ceil(W / 2)]."""
        return torch.cat((self.pool(x) * self.gain, functional.relu(self.branch(x))), dim=1)


class Shuffle(nn.Module):
    """Interleave the groups' channels, in the memory format of the data."""

    def forward(self, x: Tensor) -> Tensor:
        """[B, C, H, W], C a multiple of the groups."""
        batch, channels, height, width = x.shape
        if x.is_contiguous(memory_format=torch.channels_last):
            split = x.permute(0, 2, 3, 1).reshape(batch, height, width, GROUPS, channels // GROUPS)
            return split.transpose(3, 4).flatten(3).permute(0, 3, 1, 2)
        return x.reshape(batch, GROUPS, channels // GROUPS, height, width).transpose(1, 2).flatten(1, 2)


def _branch(
    before: int, channels: int, *, bottleneck: int, groups: int, pad: tuple[int, int, int, int] | None
) -> nn.Sequential:
    # 240 - 16 channels do not divide by three: that one convolution, the first unit's last in the 1x net, has no
    # groups. Every other count divides.
    last_groups = GROUPS if channels % GROUPS == 0 else 1
    spatial: list[nn.Module] = (
        [nn.Conv2d(bottleneck, bottleneck, 3, padding=1, groups=bottleneck, bias=False)]
        if pad is None
        else [nn.ZeroPad2d(pad), nn.Conv2d(bottleneck, bottleneck, 3, stride=2, groups=bottleneck, bias=False)]
    )
    return nn.Sequential(
        nn.Conv2d(before, bottleneck, 1, groups=groups, bias=False),
        nn.BatchNorm2d(bottleneck),
        nn.ReLU(inplace=True),
        Shuffle(),
        *spatial,
        nn.BatchNorm2d(bottleneck),
        nn.Conv2d(bottleneck, channels, 1, groups=last_groups, bias=False),
        nn.BatchNorm2d(channels),
    )
