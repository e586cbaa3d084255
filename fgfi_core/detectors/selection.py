"""From scored boxes to detections: threshold, candidates, per-class non-maximum suppression, limits."""

from dataclasses import dataclass
from typing import NamedTuple

from torch import Tensor
from torch.nn import functional
from torchvision.ops import batched_nms


class Detections(NamedTuple):
    """What a detector found in one image, best first. boxes: [N, 4] xyxy pixels of the input; scores, labels: [N]."""

    boxes: Tensor
    scores: Tensor
    labels: Tensor


@dataclass(frozen=True, kw_only=True)
class Selection:
    """The rule of one family, applied in the order of its fields; None is no limit. An anchor may be several classes.

    score_threshold: scores must be above it. candidates_per_class, candidates: best of each class, then best of all,
    that enter suppression. nms_iou: a box overlapping a better one of its class by more is dropped.
    per_class, per_image: most that are kept.
    """

    score_threshold: float
    candidates_per_class: int | None = None
    candidates: int | None = None
    nms_iou: float
    per_class: int | None = None
    per_image: int | None = None

    def __call__(self, boxes: Tensor, scores: Tensor) -> Detections:
        """Select in one image. boxes: [A, 4] xyxy pixels. scores: [A, C]."""
        # Half precision would round pixel coordinates and make equal scores of different ones.
        boxes, scores = boxes.float(), scores.float()
        classes = scores.shape[1]
        scores, anchor = scores.topk(_at_most(self.candidates_per_class, len(scores)), dim=0)
        scores, flat = scores.flatten().topk(_at_most(self.candidates, scores.numel()))
        above = scores > self.score_threshold
        scores, flat = scores[above], flat[above]
        boxes, labels = boxes[anchor.flatten()[flat]], flat % classes

        kept = batched_nms(boxes, scores, labels, self.nms_iou)
        if self.per_class is not None:
            rank = functional.one_hot(labels[kept], classes).cumsum(dim=0).gather(1, labels[kept, None])[:, 0]
            kept = kept[rank <= self.per_class]
        kept = kept[: self.per_image]
        return Detections(boxes[kept], scores[kept], labels[kept])


def _at_most(limit: int | None, count: int) -> int:
    return count if limit is None else min(limit, count)
