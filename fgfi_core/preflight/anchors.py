"""The anchors of both detectors reach the data's boxes."""

from collections.abc import Iterator

import torch

from fgfi_core.imitation import RegionEstimator
from fgfi_core.preflight.check import Subject, Verdict
from fgfi_core.preflight.pair import sampled_boxes
from fgfi_core.training.resolve import SIDES

UNREACHED_IOU = 0.2
POOR_IOU = 0.5
WARN_SHARE = 0.05
REFUSE_SHARE = 0.5
POINTS = {"fcos"}  # families that find boxes from points, whatever their anchors' IoU


def check(subject: Subject) -> Iterator[Verdict]:
    """Refuses a side whose anchors most boxes overlap by less than `UNREACHED_IOU`, warns where some do."""
    for side in SIDES:
        detector = subject.bench.create(side)
        boxes = sampled_boxes(subject.bench, detector.frame)
        if not boxes or detector.info.family in POINTS:
            continue
        estimator = RegionEstimator([level.to(boxes[0].device) for level in detector.anchors()])
        padded = estimator.best_iou(boxes)
        best = torch.cat([row[: len(own)] for row, own in zip(padded, boxes, strict=True)])
        unreached, poor = float((best < UNREACHED_IOU).float().mean()), float((best < POOR_IOU).float().mean())
        numbers = {
            f"{side}_best_iou_median": float(best.median()),
            f"{side}_boxes_below_{UNREACHED_IOU}": unreached,
            f"{side}_boxes_below_{POOR_IOU}": poor,
        }
        text = f"{unreached:.0%} of the boxes overlap no anchor of the {side} by IoU {UNREACHED_IOU}"
        if unreached > WARN_SHARE:
            yield Verdict(
                "refused" if unreached > REFUSE_SHARE else "warning",
                f"{text} and can hardly be learnt; the median of the best IoU is {float(best.median()):.2f}.",
                hint="Set schedule.anchors to 'data', or a larger schedule.image_size for small objects.",
                numbers=numbers,
                judgement=True,
            )
        else:
            yield Verdict("ok", f"{text}, {poor:.0%} none by {POOR_IOU}.", numbers=numbers)
