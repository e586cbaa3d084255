"""EfficientNet-Lite0 up to stride 16.

EfficientNet (Tan and Le, ICML 2019) without squeeze-excitation and with ReLU6, for processors that are slow at the
former and at smooth activations. Stride-2 layers pad as TensorFlow's "same" does, like those of `shufflenetv1`: the
published weights (`efficientnet_lite_weights`) were trained so.
"""

from functools import partial
from typing import NamedTuple

from torch import Tensor, nn
from torch.nn import functional
from torchvision.ops import Conv2dNormActivation

CHANNELS = 112
# The weights' own, (pixel - 127) / 128: with it the activations of photographs have the statistics that the batch norms
# recorded; with ImageNet's mean and deviation the first ones are twice as wide.
MEAN, DEVIATION = (127 / 255,) * 3, (128 / 255,) * 3
STEM = 32


class Group(NamedTuple):
    """Blocks of one kernel size and width; the first of them has the stride. expansion: of the channels inside."""

    blocks: int
    kernel: int
    stride: int
    expansion: int
    channels: int


# The sixth and seventh group, at stride 32, are left out.
GROUPS = (
    Group(1, 3, 1, 1, 16),
    Group(2, 3, 2, 6, 24),
    Group(2, 5, 2, 6, 40),
    Group(3, 3, 2, 6, 80),
    Group(3, 5, 1, 6, CHANNELS),
)

_EPSILON = 1e-3  # of batch norm, as the weights were trained


class EfficientNetLite0(nn.Module):
    """[B, 3, H, W] to [B, 112, ceil(H / 16), ceil(W / 16)].

    image_size: (width, height) in pixels, fixed because padding depends on its parity.
    """

    def __init__(self, image_size: tuple[int, int]) -> None:
        super().__init__()
        self.stem = Same(3, STEM, 3, image_size, stride=2)
        size, before = divided(image_size, 2), STEM
        blocks = []
        for group in GROUPS:
            for block in range(group.blocks):
                stride = group.stride if block == 0 else 1
                blocks.append(MBConv(before, group, size, stride=stride))
                size, before = divided(size, stride), group.channels
        self.blocks = nn.Sequential(*blocks)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                # The depthwise ones read one channel each, which only this fan counts right.
                nn.init.kaiming_normal_(module.weight, mode="fan_in")

    def forward(self, images: Tensor) -> Tensor:
        """The map after the fifth group."""
        features: Tensor = self.blocks(self.stem(images))
        return features


class MBConv(nn.Module):
    """1x1 to more channels, depthwise, 1x1 to fewer without activation; a shortcut where the shape stays."""

    def __init__(self, before: int, group: Group, size: tuple[int, int], *, stride: int) -> None:
        super().__init__()
        inside = before * group.expansion
        self.shortcut = stride == 1 and before == group.channels
        self.expand = Same(before, inside, 1, size) if group.expansion > 1 else nn.Identity()
        self.depthwise = Same(inside, inside, group.kernel, size, stride=stride, groups=inside)
        self.project = Same(inside, group.channels, 1, divided(size, stride), activation=None)

    def forward(self, x: Tensor) -> Tensor:
        """[B, before, H, W] to [B, channels, ceil(H / stride), ceil(W / stride)]."""
        y: Tensor = self.project(self.depthwise(self.expand(x)))
        return x + y if self.shortcut else y


class Same(Conv2dNormActivation):  # type: ignore[misc]  # torchvision publishes no types.
    """Convolution, batch norm and ReLU6, or another activation; "same" padding for maps of (width, height)."""

    def __init__(
        self,
        before: int,
        channels: int,
        kernel: int,
        size: tuple[int, int],
        *,
        stride: int = 1,
        groups: int = 1,
        activation: type[nn.Module] | None = nn.ReLU6,
    ) -> None:
        (left, right), (top, bottom) = (same_padding(side, kernel, stride) for side in size)
        super().__init__(
            before,
            channels,
            kernel,
            stride,
            padding=(top, left),
            groups=groups,
            norm_layer=partial(nn.BatchNorm2d, eps=_EPSILON),
            activation_layer=activation,
        )
        # What the convolution's own padding, the same at both ends, leaves over.
        self.far = (0, right - left, 0, bottom - top)

    def forward(self, x: Tensor) -> Tensor:
        """[B, before, H, W] to [B, channels, ceil(H / stride), ceil(W / stride)]."""
        y: Tensor = super().forward(functional.pad(x, self.far) if any(self.far) else x)
        return y


def same_padding(size: int, kernel: int, stride: int) -> tuple[int, int]:
    """Zeros before and after a side of `size` cells, so that ceil(size / stride) windows fit."""
    zeros = max(0, (-(-size // stride) - 1) * stride + kernel - size)
    return zeros // 2, zeros - zeros // 2


def divided(size: tuple[int, int], stride: int) -> tuple[int, int]:
    """(width, height) after a "same" layer."""
    return -(-size[0] // stride), -(-size[1] // stride)
