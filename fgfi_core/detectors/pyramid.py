"""Feature pyramids P3 to P7 on a ResNet (Lin et al., CVPR 2017; P6 and P7 as in Lin et al., ICCV 2017, on P5)."""

from collections.abc import Mapping

import torch
from torch import Tensor
from torchvision.models.detection.anchor_utils import AnchorGenerator
from torchvision.models.detection.backbone_utils import BackboneWithFPN
from torchvision.ops.feature_pyramid_network import LastLevelP6P7

from fgfi_core.detectors.pretrained import imagenet
from fgfi_core.detectors.resnet import resnet

STRIDES = (8, 16, 32, 64, 128)
CHANNELS = 256
_BODY = "model.backbone.body."
# The stem and the first group of a detector's ResNet, which the usual recipes leave as ImageNet made them.
FROZEN = tuple(_BODY + part for part in ("conv1", "bn1", "layer1"))


def pyramid(depth: str) -> BackboneWithFPN:
    """torchvision's backbone of RetinaNet and FCOS with fresh weights: [B, 3, H, W] to five maps of 256 channels.

    depth: as for `resnet`. Map l is [B, 256, ceil(H / STRIDES[l]), ceil(W / STRIDES[l])].
    """
    body = resnet(depth)
    last = body.inplanes  # Channels of the last group; each one before has half of them.
    return BackboneWithFPN(
        body,
        return_layers={"layer2": "0", "layer3": "1", "layer4": "2"},
        in_channels_list=[last // 4, last // 2, last],
        out_channels=CHANNELS,
        extra_blocks=LastLevelP6P7(CHANNELS, CHANNELS),
    )


def pyramid_anchors(generator: AnchorGenerator, image_size: tuple[int, int]) -> list[Tensor]:
    """Anchors of each map, [H_l, W_l, K, 4] xyxy pixels, centred on multiples of the stride as torchvision's are.

    image_size: (width, height). torchvision itself divides the side of the image by that of the map, which on sides
    that the stride does not divide moves the last anchors away from what their cells see; here the stride stays.
    """
    cells = [(-(-image_size[1] // stride), -(-image_size[0] // stride)) for stride in STRIDES]
    flat = generator.grid_anchors(cells, [[torch.tensor(stride)] * 2 for stride in STRIDES])
    return [anchors.view(*cell, -1, 4) for anchors, cell in zip(flat, cells, strict=True)]


def resnet_weights(name: str) -> Mapping[str, Tensor]:
    """torchvision's ImageNet weights under a detector's names; see `imagenet`."""
    return under_detector_names(imagenet(name))


def under_detector_names(state: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
    """A ResNet's state dict as a part of the state dict of a detector with this pyramid; the classifier is left out."""
    return {_BODY + key: value for key, value in state.items() if not key.startswith("fc.")}
