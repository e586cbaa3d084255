"""SSD's assignment and losses (Liu et al., ECCV 2016, section 2.2), batched: no loop over images or boxes."""

import torch
from torch import Tensor
from torch.nn import functional
from torchvision.ops import box_iou

from fgfi_core.detectors.boxes import encode
from fgfi_core.processes import processes, summed

MATCH_IOU = 0.5
NEGATIVES_PER_POSITIVE = 3
# The code of each delta is multiplied by its weight, so that position and size errors have about unit deviation.
DELTA_WEIGHTS = (10.0, 10.0, 5.0, 5.0)


def match(anchors: Tensor, boxes: Tensor, real: Tensor) -> Tensor:
    """The box each anchor is to find, [B, A] int64; -1 is background.

    An anchor takes its best box when their IoU is at least `MATCH_IOU`; every box also gets its best anchor, whatever
    that overlap, as long as there is one. Of boxes that share a best anchor the last has it.

    anchors: [A, 4]. boxes: [B, G, 4], xyxy pixels. real: bool [B, G], False for padding.
    """
    iou = box_iou(anchors, boxes.flatten(0, 1)).view(-1, *boxes.shape[:2]).transpose(0, 1)  # [B, A, G]
    iou = iou.masked_fill(~real[:, None], -1.0)
    best_iou, best_box = iou.max(dim=2)
    matched = best_box.masked_fill(best_iou < MATCH_IOU, -1)
    # Boxes without any overlap write to a spare column that is cut off again.
    own_iou, own_anchor = iou.max(dim=1)
    own_anchor = own_anchor.masked_fill(own_iou <= 0, len(anchors))
    box = torch.arange(boxes.shape[1], device=boxes.device).expand_as(own_anchor)
    # The maximum does not depend on the order of writing, so a GPU gives the same answer every time.
    forced = matched.new_full((len(boxes), len(anchors) + 1), -1).scatter_reduce(1, own_anchor, box, "amax")[:, :-1]
    return torch.where(forced >= 0, forced, matched)


def ssd_losses(
    logits: Tensor, deltas: Tensor, *, anchors: Tensor, boxes: Tensor, labels: Tensor, real: Tensor
) -> dict[str, Tensor]:
    """Softmax cross-entropy with hard negative mining, and smooth L1 on box codes; both over the positives' number.

    That is of all processes, so that the mean of their losses is the loss of one with the whole batch.

    logits: [B, A, 1 + C], background first. deltas: [B, A, 4]. anchors: [A, 4]. boxes: [B, G, 4], labels: [B, G],
    real: bool [B, G]. Computed in float32 whatever autocast says.
    """
    with torch.autocast(logits.device.type, enabled=False):
        logits, deltas = logits.float(), deltas.float()
        with torch.no_grad():
            matched = match(anchors, boxes, real)
            positive = matched >= 0
            index = matched.clamp(min=0)
            found = boxes.gather(1, index[..., None].expand(-1, -1, 4))
            goal = encode(found, anchors) * deltas.new_tensor(DELTA_WEIGHTS)
            label = (labels.gather(1, index) + 1).masked_fill(~positive, 0)
            positives = summed(positive.sum()).clamp(min=1) / processes()

        box = functional.smooth_l1_loss(deltas, goal, reduction="none").sum(dim=2)
        entropy = functional.cross_entropy(logits.flatten(0, 1), label.flatten(), reduction="none").view_as(label)
        # Summing the hardest negatives needs their values only, so one sort does; positives sink to its end as zeros.
        hardest = entropy.masked_fill(positive, 0.0).sort(dim=1, descending=True).values
        rank = torch.arange(hardest.shape[1], device=hardest.device)
        mined = rank < NEGATIVES_PER_POSITIVE * positive.sum(dim=1, keepdim=True)
        return {
            "class": ((entropy * positive).sum() + (hardest * mined).sum()) / positives,
            "box": (box * positive).sum() / positives,
        }
