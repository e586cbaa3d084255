"""Which detection belongs to which box: the one rule behind average precision and behind the pictures of errors."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fgfi_core.data.dataset import Example
from fgfi_core.evaluation.detections import ImageDetections


@dataclass(frozen=True, eq=False)
class Verdict:
    """One image, judged.

    true, false: [N] bool over the detections; both False for one of a difficult box. missed: [G] bool over the boxes.
    """

    true: NDArray[np.bool_]
    false: NDArray[np.bool_]
    missed: NDArray[np.bool_]


def owners(found: ImageDetections, example: Example, iou: float) -> NDArray[np.int64]:
    """[N]: the box of its class that each detection overlaps most, by at least `iou` (the first of equals); else -1."""
    best = np.full(len(found.labels), -1, dtype=np.int64)
    if len(found.labels) and len(example.labels):
        overlap = box_iou(found.boxes.astype(np.float64), example.boxes.astype(np.float64))
        overlap[found.labels[:, None] != example.labels[None]] = -np.inf
        enough = overlap.max(axis=1) >= iou
        best[enough] = overlap.argmax(axis=1)[enough]
    return best


def first_claims(owner: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Whether each detection, best score first, is the first of its box; the others found it again or found nothing."""
    first = np.zeros(len(owner), dtype=np.bool_)
    first[np.unique(owner, return_index=True)[1]] = True
    return first & (owner >= 0)


def judge(found: ImageDetections, example: Example, iou: float = 0.5) -> Verdict:
    """Judge the detections of one image as average precision does."""
    order = np.argsort(-found.scores, kind="stable")
    owner = owners(found, example, iou)
    claimed = np.zeros(len(owner), dtype=np.bool_)
    claimed[order] = first_claims(owner[order])
    ignored = np.zeros(len(owner), dtype=np.bool_)
    ignored[owner >= 0] = example.difficult[owner[owner >= 0]]
    missed = ~example.difficult
    missed[owner[owner >= 0]] = False
    return Verdict(true=claimed & ~ignored, false=~claimed & ~ignored, missed=missed)


def box_iou(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    """Intersection over union of every pair: [A, 4] and [B, 4] xyxy to [A, B]; 0 for a pair without area."""
    corner = np.minimum(a[:, None, 2:], b[None, :, 2:]) - np.maximum(a[:, None, :2], b[None, :, :2])
    intersection: NDArray[np.float64] = corner.clip(min=0).prod(axis=2)
    area_a, area_b = ((box[:, 2:] - box[:, :2]).prod(axis=1) for box in (a, b))
    union = area_a[:, None] + area_b[None] - intersection
    out = np.zeros_like(intersection)
    np.divide(intersection, union, out=out, where=union > 0)
    return out
