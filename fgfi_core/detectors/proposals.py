"""Region proposals of a whole batch at once: no loop over images, so that the same code exports with any batch."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor
from torchvision.ops import batched_nms, nms

from fgfi_core.detectors.boxes import clip, decode

LEAST_SIDE = 1e-3  # pixels; proposals that are thinner after clipping are dropped, as torchvision does
_NOTHING = -math.inf


class Proposals(NamedTuple):
    """Best first: boxes [B, N, 4] xyxy pixels; valid bool [B, N], where it is False the box is the whole image."""

    boxes: Tensor
    valid: Tensor


def propose(
    objectness: Tensor,
    deltas: Tensor,
    *,
    anchors: Tensor,
    levels: Sequence[int],
    image_size: tuple[int, int],
    before_nms: int,
    after_nms: int,
    nms_iou: float,
    least_score: float = 0.0,
) -> Proposals:
    """The best anchors of each level, moved by their deltas, clipped, suppressed level by level; the best of the rest.

    objectness: [B, A] float32 logits. deltas: [B, A, 4] float32 box codes. anchors: [A, 4] xyxy pixels. levels: number
    of anchors of each level, which lie one after another. image_size: (width, height). N of the result is `after_nms`,
    or all candidates where these are fewer. No gradient passes. The rule is torchvision's `filter_proposals`, but that
    it orders by logits: sigmoids of sure proposals are all 1.
    """
    with torch.no_grad():
        logits, place, level = _best_of_levels(objectness, levels, before_nms)
        boxes = clip(decode(deltas.gather(1, _rows(place)), anchors[place]), image_size)
        real = (boxes[..., 2:] - boxes[..., :2] >= LEAST_SIDE).all(dim=-1)
        if least_score > 0:
            real = real & (logits >= math.log(least_score / (1 - least_score)))
        logits = _suppress(boxes, logits.masked_fill(~real, _NOTHING), level, image_size, nms_iou)

        count = min(after_nms, sum(min(before_nms, anchors_of) for anchors_of in levels))
        best, place = logits.topk(count, dim=1)
        valid = best > _NOTHING
        frame = boxes.new_tensor((0.0, 0.0, *image_size))
        return Proposals(torch.where(valid[..., None], boxes.gather(1, _rows(place)), frame), valid)


def _best_of_levels(objectness: Tensor, levels: Sequence[int], most: int) -> tuple[Tensor, Tensor, Tensor]:
    """Logits [B, K] and places [B, K] among all anchors of each level's best, and the level of each, [K]."""
    logits, places, numbers = [], [], []
    start = 0
    for number, count in enumerate(levels):
        best, place = objectness[:, start : start + count].topk(min(most, count), dim=1)
        logits.append(best)
        places.append(place + start)
        numbers.append(torch.full((min(most, count),), number, device=objectness.device))
        start += count
    return torch.cat(logits, dim=1), torch.cat(places, dim=1), torch.cat(numbers)


def _suppress(boxes: Tensor, logits: Tensor, level: Tensor, image_size: tuple[int, int], iou: float) -> Tensor:
    """Logits [B, K] with those of suppressed boxes set to nothing; boxes [B, K, 4] of each image and level apart."""
    image = torch.arange(boxes.shape[0], device=boxes.device)[:, None].expand(-1, level.shape[0])
    flat = logits.flatten()
    if torch.onnx.is_in_onnx_export():
        # batched_nms branches on the number of boxes, which a trace would fix. Levels side by side and images one below
        # the other keep the offsets, and with them the rounding of coordinates, small.
        step = boxes.new_tensor((image_size[0] + 1, image_size[1] + 1))
        corner = torch.stack((level.expand(boxes.shape[0], -1), image), dim=-1) * step
        kept = nms((boxes + corner.repeat(1, 1, 2)).flatten(0, 1), flat, iou)
    else:
        kept = batched_nms(boxes.flatten(0, 1), flat, (image * level.shape[0] + level).flatten(), iou)
    return torch.full_like(flat, _NOTHING).scatter(0, kept, flat[kept]).view_as(logits)


def _rows(place: Tensor) -> Tensor:
    """Places [B, K] as an index of boxes, [B, K, 4]."""
    return place[..., None].expand(-1, -1, 4)
