"""The region as one would first write it: for each box, an IoU matrix with all anchors of all levels."""

from collections.abc import Sequence

import torch
from torch import Tensor


def looped_region(anchors: Sequence[Tensor], boxes: Tensor, threshold: float) -> list[Tensor]:
    """Imitated cells of one image, bool [H_l, W_l] for each level; one best IoU per box over all levels.

    anchors: [H_l, W_l, K_l, 4] xyxy pixels. boxes: [G, 4].
    """
    masks = [torch.zeros(level.shape[:2], dtype=torch.bool) for level in anchors]
    for box in boxes:
        overlaps = [_iou(level, box) for level in anchors]
        best = max(float(iou.max()) for iou in overlaps)
        for mask, iou in zip(masks, overlaps, strict=True):
            mask.logical_or_((iou > threshold * best).any(-1))
    return masks


def _iou(anchors: Tensor, box: Tensor) -> Tensor:
    areas = (anchors[..., 2:] - anchors[..., :2]).prod(-1)
    size = (torch.minimum(anchors[..., 2:], box[2:]) - torch.maximum(anchors[..., :2], box[:2])).clamp_min(0)
    inner = size.prod(-1)
    return inner / (areas + (box[2:] - box[:2]).prod() - inner)
