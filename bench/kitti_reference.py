"""KITTI's average precision written out as evaluate_object.cpp does it: two passes of plain loops, no cleverness.

What the tests hold `fgfi_core.evaluation.kitti` equal to, and what its speed is measured against.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fgfi_core.data import Example
from fgfi_core.evaluation.found import ImageDetections

MIN_OVERLAP = {"car": 0.7, "pedestrian": 0.5, "cyclist": 0.5}
MIN_HEIGHT, MAX_OCCLUSION, MAX_TRUNCATION = (40, 25, 25), (0, 1, 2), (0.15, 0.3, 0.5)
N_SAMPLE_PTS = 41

Box = tuple[float, float, float, float]


class Frame(NamedTuple):
    """One image, cleaned for a class and a difficulty. Of boxes 1 is ignored, of detections too; -1 plays no part."""

    gt: list[Box]
    ignored_gt: list[int]
    det: list[Box]
    scores: list[float]
    ignored_det: list[int]
    dontcare: list[Box]


def overlap(a: Box, b: Box, *, own: bool = False) -> float:
    """IoU, or with `own` the intersection over the area of `a`."""
    w, h = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    if w <= 0 or h <= 0:
        return 0
    area_a, area_b = (a[2] - a[0]) * (a[3] - a[1]), (b[2] - b[0]) * (b[3] - b[1])
    return w * h / area_a if own else w * h / (area_a + area_b - w * h)


def _boxes(rows: NDArray[np.float32]) -> list[Box]:
    return [(x1, y1, x2, y2) for x1, y1, x2, y2 in rows.tolist()]


def clean(found: ImageDetections, example: Example, label: int, difficulty: int) -> tuple[Frame, int]:
    """The image as one class and difficulty see it, and how many of its boxes count."""
    gt = _boxes(example.boxes)
    ignored_gt = []
    for i, box in enumerate(gt):
        ignore = (
            int(example.occlusion[i]) > MAX_OCCLUSION[difficulty]
            # As the label file has it, with two decimals.
            or round(float(example.truncation[i]), 6) > MAX_TRUNCATION[difficulty]
            or box[3] - box[1] < MIN_HEIGHT[difficulty]
        )
        if example.labels[i] != label:
            ignored_gt.append(-1)
        elif example.difficult[i] or ignore:
            ignored_gt.append(1)
        else:
            ignored_gt.append(0)
    det = _boxes(found.boxes)
    ignored_det = []
    for j, box in enumerate(det):
        if int(abs(box[3] - box[1])) < MIN_HEIGHT[difficulty]:
            ignored_det.append(1)
        else:
            ignored_det.append(0 if found.labels[j] == label else -1)
    dontcare = _boxes(example.ignored)
    frame = Frame(gt, ignored_gt, det, [float(s) for s in found.scores], ignored_det, dontcare)
    return frame, ignored_gt.count(0)


def statistics(frame: Frame, least: float, threshold: float | None) -> tuple[int, int, int, list[float]]:
    """True, false, missed and the scores of the true ones. threshold: None in the first pass."""
    # Which detections are still to be had.
    free = [threshold is None or score >= threshold for score in frame.scores]
    tp = fn = 0
    v = []
    for i, gt in enumerate(frame.gt):
        if frame.ignored_gt[i] == -1:
            continue
        j = _highest(frame, gt, least, free) if threshold is None else _nearest(frame, gt, least, free)
        if j == -1:
            fn += frame.ignored_gt[i] == 0
            continue
        free[j] = False
        if frame.ignored_gt[i] == 0 and frame.ignored_det[j] == 0:
            tp += 1
            v.append(frame.scores[j])
    fp = sum(free[j] and frame.ignored_det[j] == 0 for j in range(len(frame.det)))
    for region in frame.dontcare:
        for j, det in enumerate(frame.det):
            if free[j] and frame.ignored_det[j] == 0 and overlap(det, region, own=True) > least:
                free[j] = False
                fp -= 1
    return tp, fp, fn, v


def _highest(frame: Frame, gt: Box, least: float, free: list[bool]) -> int:
    det_idx, best = -1, -1e7
    for j, det in enumerate(frame.det):
        if frame.ignored_det[j] == -1 or not free[j]:
            continue
        if overlap(det, gt) > least and frame.scores[j] > best:
            det_idx, best = j, frame.scores[j]
    return det_idx


def _nearest(frame: Frame, gt: Box, least: float, free: list[bool]) -> int:
    det_idx, max_overlap, assigned_ignored_det = -1, 0.0, False
    for j, det in enumerate(frame.det):
        if frame.ignored_det[j] == -1 or not free[j]:
            continue
        o = overlap(det, gt)
        if o > least and (o > max_overlap or assigned_ignored_det) and frame.ignored_det[j] == 0:
            det_idx, max_overlap, assigned_ignored_det = j, o, False
        elif o > least and det_idx == -1 and frame.ignored_det[j] == 1:
            det_idx, assigned_ignored_det = j, True
    return det_idx


def thresholds(v: list[float], n_gt: int) -> list[float]:
    """The scores that are looked at, for recalls as evenly spaced as there are."""
    t = []
    v = sorted(v, reverse=True)
    current = 0.0
    for i, score in enumerate(v):
        left = (i + 1) / n_gt
        right = (i + 2) / n_gt if i < len(v) - 1 else left
        if right - current < current - left and i < len(v) - 1:
            continue
        t.append(score)
        current += 1.0 / (N_SAMPLE_PTS - 1.0)
    return t


def precision(
    detections: Sequence[ImageDetections], examples: Sequence[Example], label: int, name: str, difficulty: int
) -> list[float] | None:
    """41 precisions of one class at one difficulty; None without a box that counts."""
    cleaned = [clean(found, example, label, difficulty) for found, example in zip(detections, examples, strict=True)]
    frames, n_gt = [frame for frame, _ in cleaned], sum(count for _, count in cleaned)
    if not n_gt:
        return None
    least = MIN_OVERLAP[name.lower()]
    v = [score for frame in frames for score in statistics(frame, least, None)[3]]
    out = [0.0] * N_SAMPLE_PTS
    for t, threshold in enumerate(thresholds(v, n_gt)):
        tp = fp = 0
        for frame in frames:
            true, false, _, _ = statistics(frame, least, threshold)
            tp, fp = tp + true, fp + false
        out[t] = tp / (tp + fp) if tp + fp else 0.0
    for i in range(N_SAMPLE_PTS):
        out[i] = max(out[i:])
    return out
