"""`ssd-efficientnet-lite0`: the light single-shot detector on EfficientNet-Lite0."""

from collections.abc import Mapping, Sequence

from torch import Tensor, nn

from fgfi_core.detectors import efficientnet_lite, efficientnet_lite_weights
from fgfi_core.detectors.anchors import Shapes
from fgfi_core.detectors.detector import Detector, Outputs, Target
from fgfi_core.detectors.normalisation import Normalisation
from fgfi_core.detectors.ssd import SSD


def build(name: str, num_classes: int, image_size: tuple[int, int], anchor_shapes: Shapes | None) -> Detector:
    """The one of the family, with fresh weights."""
    return SSDEfficientNet(name, num_classes, image_size, anchor_shapes)


class SSDEfficientNet(SSD):
    """Nothing is frozen: the trunk is small, and its norms must follow the data.

    The trunk ends in a sum without activation, with ImageNet's weights five times as wide as after a norm: on it as it
    is, losses begin above a hundred and do not settle. The heads read it through a batch norm; the imitated map is the
    trunk's own.
    """

    def __init__(self, name: str, num_classes: int, image_size: tuple[int, int], anchor_shapes: Shapes | None) -> None:
        trunk = efficientnet_lite.EfficientNetLite0(image_size)
        normalisation = Normalisation(efficientnet_lite.MEAN, efficientnet_lite.DEVIATION)
        super().__init__(name, num_classes, image_size, anchor_shapes, trunk, efficientnet_lite.CHANNELS, normalisation)
        self.head_norm = nn.BatchNorm2d(efficientnet_lite.CHANNELS)

    def heads(self, maps: Sequence[Tensor], targets: Sequence[Target] | None = None) -> Outputs:
        """As SSD's, on the normalised map."""
        return super().heads([self.head_norm(level) for level in maps], targets)

    def imagenet_weights(self) -> Mapping[str, Tensor]:
        """The trunk's. Raises WeightsUnavailable when their package is not installed."""
        return {f"trunk.{name}": tensor for name, tensor in efficientnet_lite_weights.imagenet_weights().items()}
