"""Box codes: a box as its offset from an anchor, and back; and ragged targets as one padded batch."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from fgfi_core.detectors.detector import Target


def encode(boxes: Tensor, anchors: Tensor) -> Tensor:
    """Offsets (dx, dy, dw, dh) of boxes from anchors: dx = (gx - ax) / aw, dw = log(gw / aw).

    boxes, anchors: [..., 4] float xyxy pixels with positive width and height, broadcast against each other.
    """
    box_center, box_size = _center_size(boxes)
    anchor_center, anchor_size = _center_size(anchors)
    return torch.cat(((box_center - anchor_center) / anchor_size, (box_size / anchor_size).log()), dim=-1)


def decode(deltas: Tensor, anchors: Tensor, *, linear_from: float = math.log(1000 / 16)) -> Tensor:
    """The inverse of `encode`: boxes [..., 4] xyxy pixels, not clipped.

    Where dw or dh is above `linear_from` the exponential goes on as its tangent there: boxes stay finite, and still
    learn. Inverse to `encode` only up to there.
    """
    anchor_center, anchor_size = _center_size(anchors)
    center = deltas[..., :2] * anchor_size + anchor_center
    logs = deltas[..., 2:]
    ratio = logs.clamp(max=linear_from).exp() + math.exp(linear_from) * (logs - linear_from).clamp(min=0)
    half = ratio * anchor_size / 2
    return torch.cat((center - half, center + half), dim=-1)


def clip(boxes: Tensor, image_size: tuple[int, int]) -> Tensor:
    """Boxes [..., 4] cut at the borders of an image of (width, height) pixels."""
    width, height = image_size
    return torch.stack(
        (
            boxes[..., 0].clamp(0, width),
            boxes[..., 1].clamp(0, height),
            boxes[..., 2].clamp(0, width),
            boxes[..., 3].clamp(0, height),
        ),
        dim=-1,
    )


def pad_targets(targets: Sequence[Target], device: torch.device) -> tuple[Tensor, Tensor, Tensor]:
    """One batch of ragged targets: boxes [B, G, 4], labels [B, G] and which of them are real, bool [B, G]; G >= 1.

    Padding is the box (0, 0, 1, 1) with label 0, so that no formula over it overflows.
    """
    counts = [len(target.boxes) for target in targets]
    most = max([1, *counts])
    boxes = torch.tensor((0.0, 0.0, 1.0, 1.0), device=device).repeat(len(targets), most, 1)
    labels = torch.zeros((len(targets), most), dtype=torch.int64, device=device)
    for row, (target, count) in enumerate(zip(targets, counts, strict=True)):
        boxes[row, :count] = target.boxes.to(boxes)
        labels[row, :count] = target.labels.to(labels)
    real = torch.arange(most)[None] < torch.tensor(counts)[:, None]
    return boxes, labels, real.to(device, non_blocking=True)


def _center_size(boxes: Tensor) -> tuple[Tensor, Tensor]:
    return (boxes[..., :2] + boxes[..., 2:]) / 2, boxes[..., 2:] - boxes[..., :2]
