"""torchvision's ResNets (He et al., CVPR 2016), also with all channels scaled."""

from typing import Any

from torch import nn
from torchvision.models.resnet import BasicBlock, Bottleneck, ResNet

_STEM = 64
_DEPTHS: dict[str, tuple[type[nn.Module], tuple[int, int, int, int]]] = {
    "resnet18": (BasicBlock, (2, 2, 2, 2)),
    "resnet50": (Bottleneck, (3, 4, 6, 3)),
    "resnet101": (Bottleneck, (3, 4, 23, 3)),
}


def resnet(depth: str, width: float = 1.0) -> ResNet:
    """A ResNet with fresh weights under torchvision's names; `fc` is left out.

    depth: `resnet18`, `resnet50` or `resnet101`. width: factor of all channels, stem and shortcuts included.
    """
    block, units = _DEPTHS[depth]
    return _ScaledResNet(block, units, width)


class _ScaledResNet(ResNet):  # type: ignore[misc]  # torchvision publishes no types.
    def __init__(self, block: type[nn.Module], units: tuple[int, int, int, int], width: float) -> None:
        self._width = width
        super().__init__(block, list(units), num_classes=1)
        stem = self._scaled(_STEM)
        if stem != _STEM:
            self.conv1 = nn.Conv2d(3, stem, kernel_size=7, stride=2, padding=3, bias=False)
            nn.init.kaiming_normal_(self.conv1.weight, mode="fan_out", nonlinearity="relu")
            self.bn1 = nn.BatchNorm2d(stem)
        self.fc = nn.Identity()

    def _make_layer(self, block: type[nn.Module], planes: int, *arguments: Any, **named: Any) -> nn.Sequential:
        if planes == _STEM:
            # The first group reads the stem, which torchvision's constructor counts unscaled.
            self.inplanes = self._scaled(_STEM)
        layer: nn.Sequential = super()._make_layer(block, self._scaled(planes), *arguments, **named)
        return layer

    def _scaled(self, channels: int) -> int:
        return round(channels * self._width)
