"""`ssdlite320-mobilenet-v3`: SSDLite (Sandler et al., CVPR 2018) on MobileNetV3 large, torchvision's parts.

The imitated maps are the six that the head reads. MobileNetV3 has its full tail, as ImageNet's weights have it;
`-half-tail` is the one that torchvision trained from nothing on COCO, with a tail of half the width and pixels
normalised to [-1, 1]. For any size of images; 320x320 is the one that the scales were made for.
"""

from collections.abc import Mapping, Sequence
from functools import partial

import torch
from torch import Tensor, nn
from torchvision.models import mobilenet_v3_large
from torchvision.models.detection.anchor_utils import DefaultBoxGenerator
from torchvision.models.detection.image_list import ImageList
from torchvision.models.detection.ssd import SSD
from torchvision.models.detection.ssdlite import SSDLiteFeatureExtractorMobileNet, SSDLiteHead
from torchvision.ops import box_iou

from fgfi_core.detectors.anchors import Shapes
from fgfi_core.detectors.boxes import clip, decode
from fgfi_core.detectors.detector import Detector, Outputs, Target
from fgfi_core.detectors.normalisation import Normalisation
from fgfi_core.detectors.one_stage import OneStage, in_float32, share_of_positives
from fgfi_core.detectors.pretrained import imagenet
from fgfi_core.detectors.selection import Selection
from fgfi_core.spec.catalogue import DETECTORS

HALF_TAIL = "ssdlite320-mobilenet-v3-half-tail"
HALF = (0.5, 0.5, 0.5)
STRIDES = (16, 32, 64, 128, 256, 512)
C4 = 13  # The block of MobileNetV3 whose expansion is the finest map; its last layer is the next.
SELECTION = Selection(score_threshold=0.001, candidates_per_class=300, nms_iou=0.55, per_image=300)

# Its statistics follow at torch's own pace. At torchvision's, 0.03 and made for 600 epochs, they were so far behind
# after 100 steps that a network that had learnt two pictures by heart did not know them in eval mode.
_norm = partial(nn.BatchNorm2d, eps=0.001)


def build(name: str, num_classes: int, image_size: tuple[int, int], anchor_shapes: Shapes | None) -> Detector:
    """One of the family, with fresh weights."""
    del anchor_shapes  # The family has its own.
    return SSDLite(name, num_classes, image_size)


class SSDLite(OneStage):
    """Six anchors a cell on six maps; class 0 of the logits is background. Nothing is frozen, as torchvision has it."""

    selection = SELECTION

    def __init__(self, name: str, num_classes: int, image_size: tuple[int, int]) -> None:
        half = name == HALF_TAIL
        trunk = mobilenet_v3_large(norm_layer=_norm, reduced_tail=half)
        backbone = SSDLiteFeatureExtractorMobileNet(trunk.features, C4, _norm)
        backbone.extra = nn.ModuleList(_InFloat32(*block) for block in backbone.extra)
        generator = DefaultBoxGenerator([[2, 3] for _ in STRIDES], min_ratio=0.2, max_ratio=0.95)
        per_cell = generator.num_anchors_per_location()
        head = SSDLiteHead(list(DETECTORS[name].channels), per_cell, num_classes + 1, _norm)
        model = SSD(backbone, generator, image_size, num_classes + 1, head=head)
        super().__init__(name, num_classes, image_size, model, _anchors(generator, image_size))
        if half:
            self.normalisation = Normalisation(HALF, HALF)

    def losses(self, outputs: Outputs, targets: Sequence[Target]) -> dict[str, Tensor]:
        """`class`: softmax cross-entropy, three negatives for a positive; `box`: smooth L1; over the positives' number.

        An anchor takes its best box from IoU 0.5 on, and every box its best anchor, whatever that overlaps.
        """
        with torch.autocast(self._anchors.device.type, enabled=False):
            prepared = self._targets(targets, first_label=1)
            matched = [self._matched(target["boxes"]) for target in prepared]
            losses = self.model.compute_loss(prepared, in_float32(outputs), [self._anchors] * len(targets), matched)
        share = share_of_positives(matched)
        return {"class": share * losses["classification"], "box": share * losses["bbox_regression"]}

    def decode(self, outputs: Outputs) -> tuple[Tensor, Tensor]:
        """boxes [B, A, 4] and scores [B, A, num_classes], softmax with the background left out."""
        deltas = outputs["bbox_regression"].float()
        boxes = decode(deltas / deltas.new_tensor(self.model.box_coder.weights), self._anchors)
        return clip(boxes, self.image_size), outputs["cls_logits"].float().softmax(dim=-1)[..., 1:]

    def imagenet_weights(self) -> Mapping[str, Tensor]:
        """MobileNetV3's; raises BadSpec for the half tail, which never was a classifier's."""
        if not self.info.imagenet:
            return super().imagenet_weights()
        return under_detector_names(imagenet(self.info.imagenet))

    def _matched(self, boxes: Tensor) -> Tensor:
        """The box of each anchor, [A] int64; -1 is background."""
        if not len(boxes):
            return torch.full((len(self._anchors),), -1, device=self._anchors.device)
        matched: Tensor = self.model.proposal_matcher(box_iou(boxes, self._anchors))
        return matched


class _InFloat32(nn.Sequential):
    """Whatever autocast says: on maps of a few cells torch's bfloat16 gradient of a depthwise convolution with stride 2
    leaves weights that meet no cell unwritten on a CPU, and what lay in memory there may be no number."""

    def forward(self, x: Tensor) -> Tensor:
        with torch.autocast(x.device.type, enabled=False):
            exact: Tensor = super().forward(x.float())  # type: ignore[no-untyped-call]  # torch has no types for it
        return exact


def under_detector_names(state: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
    """The state dict of torchvision's MobileNetV3 large as a part of the detector's; the classifier is left out.

    The 13th block is cut after its expansion, where the finest map is taken; what follows is numbered anew.
    """
    renamed = {}
    for key, value in state.items():
        part, _, rest = key.partition(".")
        if part != "features":
            continue
        block, _, inner = rest.partition(".")
        if int(block) < C4:
            place = f"0.{block}.{inner}"
        elif int(block) == C4:
            layer, _, leaf = inner.removeprefix("block.").partition(".")
            place = f"0.{C4}.{leaf}" if layer == "0" else f"1.0.{layer}.{leaf}"
        else:
            place = f"1.{int(block) - C4}.{inner}"
        renamed[f"model.backbone.features.{place}"] = value
    return renamed


def _anchors(generator: DefaultBoxGenerator, image_size: tuple[int, int]) -> list[Tensor]:
    """Of each map, [H_l, W_l, 6, 4] xyxy pixels; sizes are shares of the image, so not square where it is not."""
    width, height = image_size
    cells = [(-(-height // stride), -(-width // stride)) for stride in STRIDES]
    images = ImageList(torch.empty(1, 3, height, width), [(height, width)])
    (flat,) = generator(images, [torch.empty(1, 1, *cell) for cell in cells])
    levels = torch.split(flat, [rows * columns * 6 for rows, columns in cells])
    return [level.view(*cell, -1, 4) for level, cell in zip(levels, cells, strict=True)]
