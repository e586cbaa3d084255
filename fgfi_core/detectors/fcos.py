"""`fcos-*-fpn`: FCOS (Tian et al., ICCV 2019), torchvision's parts; the imitated maps are P3 to P7.

FCOS predicts boxes from points, and the region needs anchors. For a region, a point of a map with stride s stands for
one square of side 8 s centred on it, the single square anchor that makes an anchor-based detector of FCOS in ATSS
(Zhang et al., CVPR 2020). torchvision's own "anchors" of FCOS have side s: smaller than nearly every box, so that all
cells inside a box would overlap it alike and the region would be the whole box on every map.
"""

from collections.abc import Mapping, Sequence
from functools import partial

import torch
from torch import Tensor, nn
from torchvision.models.detection.anchor_utils import AnchorGenerator
from torchvision.models.detection.fcos import FCOS, FCOSClassificationHead, FCOSHead, FCOSRegressionHead

from fgfi_core.detectors.anchors import Shapes
from fgfi_core.detectors.boxes import clip
from fgfi_core.detectors.detector import Detector, Outputs, Target
from fgfi_core.detectors.one_stage import OneStage, in_float32, share_of_positives
from fgfi_core.detectors.pyramid import CHANNELS, FROZEN, STRIDES, pyramid, pyramid_anchors, resnet_weights
from fgfi_core.detectors.selection import Selection

DEPTHS = {"fcos-resnet50-fpn": "resnet50", "fcos-resnet18-fpn": "resnet18"}
GROUPS = 32  # torchvision's group norm
SQUARE = 8  # strides; side of the square that a point stands for in the region
# torchvision's numbers, but that it takes 1000 candidates from each map, and only scores above 0.2: a detector that
# trained for minutes seldom gets there, and the average precision needs what is below.
SELECTION = Selection(score_threshold=0.05, candidates=1000, nms_iou=0.6, per_image=100)


def build(name: str, num_classes: int, image_size: tuple[int, int], anchor_shapes: Shapes | None) -> Detector:
    """One of the family, with fresh weights."""
    del anchor_shapes  # Points have none.
    return FCOSDetector(name, num_classes, image_size, DEPTHS[name])


class FCOSDetector(OneStage):
    """One point a cell: class sigmoids, four distances in strides, and centerness."""

    selection = SELECTION
    frozen = FROZEN
    freezes_norms = True

    _points: Tensor

    def __init__(self, name: str, num_classes: int, image_size: tuple[int, int], depth: str) -> None:
        head = _Head(CHANNELS, 1, num_classes)
        norm = partial(_GroupNorm, GROUPS)
        head.classification_head = FCOSClassificationHead(CHANNELS, 1, num_classes, norm_layer=norm)
        head.regression_head = FCOSRegressionHead(CHANNELS, 1, norm_layer=norm)
        # Distances pass a ReLU. Begun at zero, as torchvision does, half of them have no gradient, and a large step can
        # lose the others for good; begun at the square, every point learns.
        nn.init.constant_(head.regression_head.bbox_reg.bias, SQUARE / 2)
        model = FCOS(pyramid(depth), num_classes, anchor_generator=_squares(1), head=head)
        super().__init__(name, num_classes, image_size, model, pyramid_anchors(_squares(SQUARE), image_size))
        points = pyramid_anchors(model.anchor_generator, image_size)
        self.register_buffer("_points", torch.cat([level.flatten(0, 2) for level in points]), persistent=False)

    def losses(self, outputs: Outputs, targets: Sequence[Target]) -> dict[str, Tensor]:
        """`class`: focal loss, `box`: generalised IoU, `centerness`: cross-entropy; over the batch's positive points.

        A point is positive for a box when it is inside, near its centre, and on the map for its size.
        """
        with torch.autocast(self._points.device.type, enabled=False):
            losses = self.model.compute_loss(
                self._targets(targets), in_float32(outputs), [self._points] * len(targets), self._level_anchors
            )
        return {
            "class": losses["classification"],
            "box": losses["bbox_regression"],
            "centerness": losses["bbox_ctrness"],
        }

    def decode(self, outputs: Outputs) -> tuple[Tensor, Tensor]:
        """boxes [B, A, 4] and scores [B, A, num_classes], sqrt(class x centerness)."""
        boxes = self.model.box_coder.decode(outputs["bbox_regression"].float(), self._points)
        scores = outputs["cls_logits"].float().sigmoid() * outputs["bbox_ctrness"].float().sigmoid()
        return clip(boxes, self.image_size), scores.sqrt()

    def imagenet_weights(self) -> Mapping[str, Tensor]:
        """The ResNet's."""
        return resnet_weights(self.info.imagenet)


class _GroupNorm(nn.GroupNorm):
    """Without torch's look at the size of the batch, which would tie an exported graph to its example."""

    def forward(self, x: Tensor) -> Tensor:
        return torch.group_norm(x, self.num_groups, self.weight, self.bias, self.eps)


class _Head(FCOSHead):  # type: ignore[misc]  # torchvision has no types
    """Its losses are means over the positive points; over processes, over those of all."""

    def compute_loss(
        self,
        targets: list[dict[str, Tensor]],
        head_outputs: dict[str, Tensor],
        anchors: list[Tensor],
        matched_idxs: list[Tensor],
    ) -> dict[str, Tensor]:
        losses = super().compute_loss(targets, head_outputs, anchors, matched_idxs)
        share = share_of_positives(matched_idxs)
        return {name: share * loss for name, loss in losses.items()}


def _squares(strides: int) -> AnchorGenerator:
    return AnchorGenerator(tuple((strides * stride,) for stride in STRIDES), ((1.0,),) * len(STRIDES))
