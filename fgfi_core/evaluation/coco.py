"""COCO's twelve numbers and each class's AP, by hotcoco, which computes what pycocotools does.

Boxes that are difficult but no crowd, which COCO does not know, are ignored as those of another size are: a detection
of one counts for nothing, a second one of the same box is false. Regions where nothing counts are crowds of all
classes.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from hotcoco import COCO, COCOeval
from numpy.typing import NDArray

from fgfi_core.evaluation.flat import Flat
from fgfi_core.evaluation.report import CocoNumbers

# Beyond COCO's largest size, in square pixels: no number counts such a box.
_NO_SIZE = 1e12
# Indices of COCO's arrays: sizes all, small, medium, large; at most 1, 10, 100 detections of a class in an image;
# IoU .5, .55 ... .95.
_ALL, _SMALL, _MEDIUM, _LARGE = range(4)
_ONE, _TEN, _HUNDRED = range(3)
_IOU50, _IOU75 = 0, 5


class ClassNumbers(NamedTuple):
    """AP over IoU .5 to .95, and at .75; None for a class without a box that counts."""

    ap: float | None
    ap75: float | None


def evaluate(flat: Flat, classes: Sequence[str]) -> tuple[CocoNumbers, Mapping[str, ClassNumbers]]:
    """Measure by COCO's rules. Numbers that have nothing to measure are None (pycocotools: -1)."""
    counted = COCOeval(truth := _truth(flat, len(classes)), truth.load_res(_detections(flat)), "bbox")
    counted.evaluate()
    counted.accumulate()
    arrays = counted.eval
    if arrays is None:
        raise RuntimeError("hotcoco counted nothing")
    # [IoU, recall, class, size, most detections] and [IoU, class, size, most detections]; -1 where nothing counts.
    precision, recall = arrays["precision"], arrays["recall"]
    numbers = CocoNumbers(
        ap=_mean(precision[:, :, :, _ALL, _HUNDRED]),
        ap50=_mean(precision[_IOU50, :, :, _ALL, _HUNDRED]),
        ap75=_mean(precision[_IOU75, :, :, _ALL, _HUNDRED]),
        ap_small=_mean(precision[:, :, :, _SMALL, _HUNDRED]),
        ap_medium=_mean(precision[:, :, :, _MEDIUM, _HUNDRED]),
        ap_large=_mean(precision[:, :, :, _LARGE, _HUNDRED]),
        ar1=_mean(recall[:, :, _ALL, _ONE]),
        ar10=_mean(recall[:, :, _ALL, _TEN]),
        ar100=_mean(recall[:, :, _ALL, _HUNDRED]),
        ar_small=_mean(recall[:, :, _SMALL, _HUNDRED]),
        ar_medium=_mean(recall[:, :, _MEDIUM, _HUNDRED]),
        ar_large=_mean(recall[:, :, _LARGE, _HUNDRED]),
    )
    by_class = precision[:, :, :, _ALL, _HUNDRED]
    return numbers, {
        name: ClassNumbers(_mean(by_class[:, :, c]), _mean(by_class[_IOU75, :, c])) for c, name in enumerate(classes)
    }


def _truth(flat: Flat, classes: int) -> COCO:
    truth, regions = flat.truth, flat.regions
    area = np.where(truth.difficult & ~truth.crowd, _NO_SIZE, truth.area)
    boxes = np.concatenate([truth.boxes, np.repeat(regions.boxes, classes, axis=0)])
    return COCO.from_arrays(
        [{"id": image} for image in range(flat.images)],
        [{"id": label, "name": str(label)} for label in range(classes)],
        image_ids=np.concatenate([truth.image, np.repeat(regions.image, classes)]),
        category_ids=np.concatenate([truth.labels, np.tile(np.arange(classes), len(regions.image))]),
        boxes=_xywh(boxes),
        area=np.concatenate([area, np.zeros(len(boxes) - len(area))]),
        iscrowd=np.concatenate([truth.crowd, np.ones(len(boxes) - len(area), np.bool_)]),
    )


def _detections(flat: Flat) -> NDArray[np.float64]:
    found = flat.found
    return np.column_stack([found.image, _xywh(found.boxes), found.scores, found.labels]).astype(np.float64)


def _xywh(boxes: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.hstack([boxes[:, :2], boxes[:, 2:] - boxes[:, :2]])


def _mean(values: NDArray[np.float64]) -> float | None:
    known = values[values > -1]
    return float(known.mean()) if known.size else None
