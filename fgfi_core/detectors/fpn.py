"""Feature pyramids of Faster R-CNN (Lin et al., CVPR 2017): P2 to P6 of a ResNet, and torchvision's MobileNet's."""

from collections.abc import Mapping, Sequence
from functools import partial

import torch
from torch import Tensor, nn
from torchvision.models.detection.anchor_utils import AnchorGenerator
from torchvision.models.detection.backbone_utils import BackboneWithFPN, mobilenet_backbone
from torchvision.models.detection.faster_rcnn import TwoMLPHead
from torchvision.ops.feature_pyramid_network import LastLevelMaxPool

from fgfi_core.detectors.resnet import resnet
from fgfi_core.detectors.two_stage_parts import Parts

VECTOR = 1024
RATIOS = (0.5, 1.0, 2.0)
SIDES = (32, 64, 128, 256, 512)
_BODY = "backbone.body."
_FROZEN_RESNET = tuple(f"body.{name}" for name in ("conv1", "bn1", "layer1"))
# torchvision trains three of MobileNet's six groups, of which the first begins with layer 7.
_FROZEN_MOBILENET = tuple(f"body.{layer}." for layer in range(7))
_MOBILENET_EPS = 1e-3


def resnet_fpn(depth: str, width: float, channels: int, region_size: int) -> Parts:
    """depth, width: as for `resnet`. Five maps at strides 4 to 64, [B, channels, ceil(H / stride), ceil(W / stride)].

    The last is every second cell of the one before; regions are pooled from the first four. `width` also scales the box
    head.
    """
    body = resnet(depth, width)
    last = body.inplanes
    vector = round(VECTOR * width)
    return Parts(
        backbone=BackboneWithFPN(
            body,
            return_layers={f"layer{number + 1}": str(number) for number in range(4)},
            in_channels_list=[last // 8, last // 4, last // 2, last],
            out_channels=channels,
            extra_blocks=LastLevelMaxPool(),
        ),
        box_head=TwoMLPHead(channels * region_size**2, vector),
        vector=vector,
        pooled_levels=4,
        frozen=_FROZEN_RESNET,
        under_own_names=resnet_under_own_names,
    )


def mobilenet_fpn(channels: int, region_size: int) -> Parts:
    """torchvision's layout: maps at strides 32, 32 and 64, regions pooled from the first alone."""
    norm = partial(nn.BatchNorm2d, eps=_MOBILENET_EPS)  # As ImageNet's weights were trained.
    return Parts(
        backbone=mobilenet_backbone(
            backbone_name="mobilenet_v3_large", weights=None, fpn=True, norm_layer=norm, trainable_layers=6
        ),
        box_head=TwoMLPHead(channels * region_size**2, VECTOR),
        vector=VECTOR,
        pooled_levels=1,
        frozen=_FROZEN_MOBILENET,
        under_own_names=mobilenet_under_own_names,
    )


def resnet_under_own_names(state: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
    """All of torchvision's ResNet but its classifier."""
    return {_BODY + key: value for key, value in state.items() if not key.startswith("fc.")}


def mobilenet_under_own_names(state: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
    """The convolutions of torchvision's MobileNet."""
    return {_BODY + key.removeprefix("features."): value for key, value in state.items() if key.startswith("features.")}


def fpn_anchors(sides: Sequence[Sequence[int]], strides: Sequence[int], image_size: tuple[int, int]) -> list[Tensor]:
    """torchvision's anchors of each map, [H_l, W_l, K_l, 4] xyxy pixels, centred on multiples of the stride.

    sides: roots of the anchors' areas, of each map; each in three shapes, `RATIOS`. image_size: (width, height).
    torchvision itself divides the side of the image by that of the map, which on sides that the stride does not divide
    moves the last anchors away from what their cells see; here the stride stays.
    """
    width, height = image_size
    cells = [(-(-height // stride), -(-width // stride)) for stride in strides]
    generator = AnchorGenerator(tuple(tuple(of) for of in sides), (RATIOS,) * len(sides))
    flat = generator.grid_anchors(cells, [[torch.tensor(stride)] * 2 for stride in strides])
    return [anchors.view(*cell, -1, 4) for anchors, cell in zip(flat, cells, strict=True)]
