"""ResNets cut at C4 for Faster R-CNN (He et al., CVPR 2016, appendix A): layer4 runs on the pooled regions."""

from collections import OrderedDict
from collections.abc import Mapping

from torch import Tensor, nn

from fgfi_core.detectors.resnet import resnet
from fgfi_core.detectors.two_stage_parts import Parts

_BEFORE = ("conv1", "bn1", "relu", "maxpool", "layer1", "layer2", "layer3")
FROZEN = ("conv1", "bn1", "layer1")


def c4(depth: str, width: float) -> Parts:
    """depth, width: as for `resnet`. The map is layer3's, [B, 1024 * width, ceil(H / 16), ceil(W / 16)]."""
    network = resnet(depth, width)
    return Parts(
        backbone=nn.Sequential(OrderedDict((name, network.get_submodule(name)) for name in _BEFORE)),
        box_head=C4BoxHead(network.layer4),
        vector=network.inplanes,
        pooled_levels=1,
        frozen=FROZEN,
        under_own_names=under_own_names,
    )


class C4BoxHead(nn.Module):
    """The last group of the ResNet, and the mean of its cells."""

    def __init__(self, layer4: nn.Module) -> None:
        super().__init__()
        self.layer4 = layer4

    def forward(self, regions: Tensor) -> Tensor:
        """[R, 1024 * width, 7, 7] to [R, 2048 * width]."""
        cells: Tensor = self.layer4(regions)
        return cells.mean(dim=(2, 3))


def under_own_names(state: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
    """All of torchvision's ResNet but its classifier."""
    return {
        ("roi_heads.box_head." if key.startswith("layer4.") else "backbone.") + key: value
        for key, value in state.items()
        if not key.startswith("fc.")
    }
