"""pycocotools on our examples and detections, by the way everybody goes: dicts in, twelve numbers out.

What the tests hold `fgfi_core.evaluation.coco` equal to, and what its speed is measured against.
"""

import contextlib
import io
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pycocotools.coco import COCO  # type: ignore[import-untyped]  # Publishes no types.
from pycocotools.cocoeval import COCOeval  # type: ignore[import-untyped]  # Likewise.

from fgfi_core.data import Example
from fgfi_core.evaluation.found import ImageDetections


class Measured(NamedTuple):
    """stats: [12]. precision: [IoU, recall, class, size, most detections]. -1 where nothing counts."""

    stats: NDArray[np.float64]
    precision: NDArray[np.float64]


def truth_of(examples: Sequence[Example], classes: int) -> dict[str, Any]:
    """The content of a COCO file. Ids are indices, those of annotations from 1, for pycocotools takes 0 for none."""
    annotations: list[dict[str, Any]] = []
    for image, example in enumerate(examples):
        for box, label, crowd, area in zip(example.boxes, example.labels, example.crowd, example.area, strict=True):
            annotations.append(
                {
                    "id": len(annotations) + 1,
                    "image_id": image,
                    "category_id": int(label),
                    "bbox": _xywh(box),
                    "area": float(area),
                    "iscrowd": int(crowd),
                }
            )
    return {
        "images": [{"id": image} for image in range(len(examples))],
        "categories": [{"id": label, "name": str(label)} for label in range(classes)],
        "annotations": annotations,
    }


def results_of(detections: Sequence[ImageDetections]) -> list[dict[str, Any]]:
    """The content of a COCO results file."""
    return [
        {"image_id": image, "category_id": int(label), "bbox": _xywh(box), "score": float(score)}
        for image, found in enumerate(detections)
        for box, score, label in zip(found.boxes, found.scores, found.labels, strict=True)
    ]


def measure(truth: dict[str, Any], results: Sequence[dict[str, Any]]) -> Measured:
    """Run pycocotools, whose prints are kept to ourselves."""
    with contextlib.redirect_stdout(io.StringIO()):
        coco = COCO()
        coco.dataset = truth
        coco.createIndex()
        # loadRes cannot read an empty list.
        found = coco.loadRes(results) if results else _nothing(truth)
        counted = COCOeval(coco, found, "bbox")
        counted.evaluate()
        counted.accumulate()
        counted.summarize()
    return Measured(np.array(counted.stats), counted.eval["precision"])


def _nothing(truth: dict[str, Any]) -> COCO:
    found = COCO()
    found.dataset = {**truth, "annotations": []}
    found.createIndex()
    return found


def _xywh(box: NDArray[np.float32]) -> list[float]:
    x1, y1, x2, y2 = box.tolist()
    return [x1, y1, x2 - x1, y2 - y1]
