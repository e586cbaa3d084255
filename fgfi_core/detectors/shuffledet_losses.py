"""The toy detector's assignment and losses (those of SqueezeDet, Wu et al., 2017, section 3.3), batched."""

import torch
from torch import Tensor
from torch.nn import functional
from torchvision.ops import box_convert, box_iou

from fgfi_core.detectors.boxes import encode
from fgfi_core.processes import processes, summed

CONFIDENCE_ASSIGNED = 75.0
CONFIDENCE_ELSEWHERE = 100.0
BOX = 5.0
_EPSILON = 1e-6


def assign(anchors: Tensor, boxes: Tensor) -> Tensor:
    """The one anchor of each box, [B, G] int64: highest IoU not yet taken, in the order of the boxes.

    A box that overlaps no free anchor gets the free one nearest by squared distance in (cx, cy, w, h). Of equals the
    first anchor. Padding must come last: what it gets means nothing. No image may have more boxes than anchors.

    anchors: [A, 4]. boxes: [B, G, 4], xyxy pixels.
    """
    flat = boxes.flatten(0, 1)
    iou = box_iou(flat, anchors)
    difference = box_convert(flat, "xyxy", "cxcywh")[:, None] - box_convert(anchors, "xyxy", "cxcywh")
    # Every overlap is better than none, and without one nearer is better: one number orders both.
    merit = torch.where(iou > 0, iou, -difference.square().sum(dim=2)).view(*boxes.shape[:2], -1)
    chosen = []
    for box in range(boxes.shape[1]):
        best = merit[:, box].argmax(dim=1)
        merit.scatter_(2, best[:, None, None].expand(-1, boxes.shape[1], 1), -torch.inf)
        chosen.append(best)
    return torch.stack(chosen, dim=1)


def shuffledet_losses(
    logits: Tensor,
    confidence: Tensor,
    deltas: Tensor,
    *,
    decoded: Tensor,
    anchors: Tensor,
    boxes: Tensor,
    labels: Tensor,
    real: Tensor,
) -> dict[str, Tensor]:
    """`class`, `confidence` and `box`, with N the number of boxes in the batch, that of all processes.

    Class: binary cross-entropy on the softmax over assigned anchors, / N. Confidence: squared distance of the sigmoid
    from the IoU that the predicted box has with its own, a constant, or from 0 without one. Box: squared error / N.

    logits: [B, A, C]. confidence: [B, A], before the sigmoid. deltas: [B, A, 4]. decoded: [B, A, 4] predicted boxes.
    anchors: [A, 4]. boxes: [B, G, 4], labels: [B, G], real: bool [B, G]. Computed in float32 whatever autocast says.
    """
    with torch.autocast(logits.device.type, enabled=False):
        logits, confidence, deltas = logits.float(), confidence.float().sigmoid(), deltas.float()
        anchor_count = len(anchors)
        with torch.no_grad():
            assigned = assign(anchors, boxes)
            count = summed(real.sum()).clamp(min=1)
            goal = encode(boxes, anchors[assigned])
            overlap = _iou_of_pairs(_take(decoded.float(), assigned), boxes)
            truth = functional.one_hot(labels, logits.shape[2])
            # Padding writes to a spare column that is cut off again.
            column = assigned.masked_fill(~real, anchor_count)
            goal_confidence = _scatter(column, overlap, anchor_count)
            taken = _scatter(column, torch.ones_like(overlap), anchor_count)
            # Both rates are of the whole batch, as the published loss has them. Where a batch has boxes for more than
            # half of one image's anchors its second rate would grow without bound and turn negative; ours stops there.
            elsewhere = CONFIDENCE_ELSEWHERE / (anchor_count - count).clamp(min=anchor_count // 2)
            rate = taken * (CONFIDENCE_ASSIGNED / count) + (1 - taken) * elsewhere

        log_p = _take(logits, assigned).log_softmax(dim=2)
        # The logarithm of 1 - p is cut off before it is infinite; that of p carries the gradient from there on.
        log_not_p = torch.log1p(-log_p.exp().clamp(max=1 - _EPSILON))
        entropy = -torch.where(truth.bool(), log_p, log_not_p).sum(dim=2)
        error = (_take(deltas, assigned) - goal).square().sum(dim=2)
        return {
            "class": processes() * (entropy * real).sum() / count,
            "confidence": (rate * (goal_confidence - confidence).square()).sum(dim=1).mean(),
            "box": processes() * BOX * (error * real).sum() / count,
        }


def _take(values: Tensor, anchor: Tensor) -> Tensor:
    """values [B, A, N] at anchor [B, G]: [B, G, N]."""
    return values.gather(1, anchor[..., None].expand(-1, -1, values.shape[2]))


def _scatter(column: Tensor, values: Tensor, columns: int) -> Tensor:
    return values.new_zeros(len(values), columns + 1).scatter(1, column, values)[:, :-1]


def _iou_of_pairs(a: Tensor, b: Tensor) -> Tensor:
    overlap = (torch.minimum(a[..., 2:], b[..., 2:]) - torch.maximum(a[..., :2], b[..., :2])).clamp(min=0).prod(dim=-1)
    areas = [(box[..., 2:] - box[..., :2]).prod(dim=-1) for box in (a, b)]
    return overlap / (areas[0] + areas[1] - overlap).clamp(min=_EPSILON)
