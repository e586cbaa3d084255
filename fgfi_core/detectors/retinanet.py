"""`retinanet-*-fpn`: RetinaNet (Lin et al., ICCV 2017), torchvision's parts; the imitated maps are P3 to P7."""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor
from torchvision.models.detection.anchor_utils import AnchorGenerator
from torchvision.models.detection.retinanet import RetinaNet

from fgfi_core.detectors.anchors import Shapes
from fgfi_core.detectors.boxes import clip, decode
from fgfi_core.detectors.detector import Detector, Outputs, Target
from fgfi_core.detectors.one_stage import OneStage, in_float32
from fgfi_core.detectors.pyramid import FROZEN, STRIDES, pyramid, pyramid_anchors, resnet_weights
from fgfi_core.detectors.selection import Selection

DEPTHS = {"retinanet-resnet50-fpn": "resnet50", "retinanet-resnet18-fpn": "resnet18"}
RATIOS = (0.5, 1.0, 2.0)
# Three octaves of side 4 x stride, rounded down as torchvision does.
SIDES = tuple(tuple(int(4 * stride * 2 ** (octave / 3)) for octave in range(3)) for stride in STRIDES)
POSITIVE_IOU, NEGATIVE_IOU = 0.5, 0.4
# torchvision's numbers, but that it takes 1000 candidates from each map and here they are the best of all maps.
SELECTION = Selection(score_threshold=0.05, candidates=1000, nms_iou=0.5, per_image=300)


def build(name: str, num_classes: int, image_size: tuple[int, int], anchor_shapes: Shapes | None) -> Detector:
    """One of the family, with fresh weights."""
    del anchor_shapes  # The family has its own.
    return RetinaNetDetector(name, num_classes, image_size, DEPTHS[name])


class RetinaNetDetector(OneStage):
    """Nine anchors a cell; sigmoids, so that no class is background."""

    selection = SELECTION
    frozen = FROZEN
    freezes_norms = True

    def __init__(self, name: str, num_classes: int, image_size: tuple[int, int], depth: str) -> None:
        model = RetinaNet(
            pyramid(depth),
            num_classes,
            anchor_generator=AnchorGenerator(SIDES, (RATIOS,) * len(SIDES)),
            fg_iou_thresh=POSITIVE_IOU,
            bg_iou_thresh=NEGATIVE_IOU,
        )
        super().__init__(name, num_classes, image_size, model, pyramid_anchors(model.anchor_generator, image_size))

    def losses(self, outputs: Outputs, targets: Sequence[Target]) -> dict[str, Tensor]:
        """`class`: focal loss over all anchors; `box`: L1 on box codes; both over an image's positives, mean of images.

        A box also takes the anchors that overlap it most, however little that is.
        """
        with torch.autocast(self._anchors.device.type, enabled=False):
            losses = self.model.compute_loss(
                self._targets(targets), in_float32(outputs), [self._anchors] * len(targets)
            )
        return {"class": losses["classification"], "box": losses["bbox_regression"]}

    def decode(self, outputs: Outputs) -> tuple[Tensor, Tensor]:
        """boxes [B, A, 4] and scores [B, A, num_classes]."""
        boxes = decode(outputs["bbox_regression"].float(), self._anchors)
        return clip(boxes, self.image_size), outputs["cls_logits"].float().sigmoid()

    def imagenet_weights(self) -> Mapping[str, Tensor]:
        """The ResNet's."""
        return resnet_weights(self.info.imagenet)
