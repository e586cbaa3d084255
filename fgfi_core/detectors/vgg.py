"""VGG (Simonyan and Zisserman, ICLR 2015) cut for Faster R-CNN: convolutions before the regions, fc6 and fc7 after."""

from collections.abc import Mapping

from torch import Tensor, nn
from torchvision.models.vgg import cfgs, make_layers

from fgfi_core.detectors.shared_draws import dropout
from fgfi_core.detectors.two_stage_parts import Parts

CHANNELS = 512
VECTOR = 4096
DROPOUT = 0.5
# torchvision's letters, and the first two blocks' layers, which the usual recipe leaves as ImageNet made them.
_LETTERS = {"vgg16": "D", "vgg11": "A"}
_FROZEN = {"vgg16": ("0.", "2.", "5.", "7."), "vgg11": ("0.", "3.")}
_FULLY_CONNECTED = {"classifier.0.": "roi_heads.box_head.fc6.", "classifier.3.": "roi_heads.box_head.fc7."}


def vgg(depth: str, region_size: int) -> Parts:
    """depth: `vgg16` or `vgg11`. The map is conv5 after its ReLU, [B, 512, ceil(H / 16), ceil(W / 16)]."""
    # The last of a letter's layers is the pooling that RoIAlign takes the place of.
    backbone = make_layers(cfgs[_LETTERS[depth]][:-1])
    for layer in backbone.modules():
        if isinstance(layer, nn.Conv2d):
            nn.init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu")
            nn.init.zeros_(layer.bias)  # type: ignore[arg-type]  # These are built with a bias.
        elif isinstance(layer, nn.MaxPool2d):
            # The last pixels of odd sides belong to a cell, too, as in the original Caffe network.
            layer.ceil_mode = True
    return Parts(
        backbone=backbone,
        box_head=VggBoxHead(CHANNELS * region_size**2),
        vector=VECTOR,
        pooled_levels=1,
        frozen=_FROZEN[depth],
        under_own_names=under_own_names,
    )


class VggBoxHead(nn.Module):
    """VGG's own two fully connected layers, each followed by dropout."""

    def __init__(self, inputs: int) -> None:
        super().__init__()
        self.fc6 = nn.Linear(inputs, VECTOR)
        self.fc7 = nn.Linear(VECTOR, VECTOR)
        for layer in (self.fc6, self.fc7):
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
            nn.init.zeros_(layer.bias)

    def forward(self, regions: Tensor) -> Tensor:
        """[R, 512, 7, 7] to [R, 4096]."""
        vector = dropout(self.fc6(regions.flatten(1)).relu(), DROPOUT, training=self.training)
        return dropout(self.fc7(vector).relu(), DROPOUT, training=self.training)


def under_own_names(state: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
    """Convolutions, fc6 and fc7 of torchvision's VGG; its last layer is left out."""
    own = {}
    for key, value in state.items():
        if key.startswith("features."):
            own["backbone." + key.removeprefix("features.")] = value
        for theirs, ours in _FULLY_CONNECTED.items():
            if key.startswith(theirs):
                own[ours + key.removeprefix(theirs)] = value
    return own
