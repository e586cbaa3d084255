"""From scored boxes to detections: threshold, candidates, per-class non-maximum suppression, limits."""

from dataclasses import dataclass
from typing import NamedTuple

from torch import Tensor
from torchvision.ops import batched_nms


class Detections(NamedTuple):
    """What a detector found in one image, best first. boxes: [N, 4] xyxy pixels of the input; scores, labels: [N]."""

    boxes: Tensor
    scores: Tensor
    labels: Tensor


@dataclass(frozen=True)
class Selection:
    """The rule of one family. Each anchor may be detected as several classes.

    score_threshold: scores must be above it. candidates_per_class: best of each class that enter suppression.
    nms_iou: a box overlapping a better one of its class by more is dropped. per_class, per_image: most that are kept.
    """

    score_threshold: float
    candidates_per_class: int
    nms_iou: float
    per_image: int

    def __call__(self, boxes: Tensor, scores: Tensor) -> Detections:
        """Select in one image. boxes: [A, 4] xyxy pixels. scores: [A, C]."""
        # Half precision would round pixel coordinates and make equal scores of different ones.
        boxes, scores = boxes.float(), scores.float()
        candidates = min(self.candidates_per_class, scores.shape[0])
        scores, anchor = scores.topk(candidates, dim=0)
        above = scores > self.score_threshold
        rank, labels = above.nonzero(as_tuple=True)
        boxes, scores = boxes[anchor[rank, labels]], scores[rank, labels]
        keep = batched_nms(boxes, scores, labels, self.nms_iou)[: self.per_image]
        return Detections(boxes[keep], scores[keep], labels[keep])
