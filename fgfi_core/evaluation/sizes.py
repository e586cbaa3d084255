"""How well boxes of each size are found."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from fgfi_core.evaluation.error_kinds import Outcome
from fgfi_core.evaluation.flat import Flat
from fgfi_core.evaluation.matching import Judged
from fgfi_core.evaluation.report import SIZES, Size, SizeEvaluation
from fgfi_core.evaluation.voc import boxes_by_class, class_results

# Square pixels of the image: where medium and where large begins.
BOUNDS = (32.0**2, 96.0**2)


def sizes(flat: Flat, judged: Judged, result: Outcome, classes: Sequence[str]) -> dict[Size, SizeEvaluation]:
    """AP and recall of each size at the IoU of `judged`.

    For one size, as for COCO, boxes of others are ignored with the detections that belong to them, and so are
    detections of another size that belong to no box. A box's size is by its object's area where that is known, a
    detection's by its own.
    """
    of_box = np.digitize(flat.truth.area, BOUNDS)
    sides = flat.found.boxes[:, 2:] - flat.found.boxes[:, :2]
    of_found = np.digitize(sides[:, 0] * sides[:, 1], BOUNDS)
    owned = judged.owner >= 0
    of_found[owned] = of_box[judged.owner[owned]]
    return {
        size: _size(flat, judged, result, classes, of_box == number, of_found == number)
        for number, size in enumerate(SIZES)
    }


def _size(
    flat: Flat,
    judged: Judged,
    result: Outcome,
    classes: Sequence[str],
    of_box: NDArray[np.bool_],
    of_found: NDArray[np.bool_],
) -> SizeEvaluation:
    counted = of_box & ~flat.truth.difficult
    boxes = boxes_by_class(flat, counted, classes)
    results = class_results(flat, judged.true, of_found & ~judged.ignored, boxes)
    known = [one.ap for one in results if one.ap is not None]
    count = int(counted.sum())
    return SizeEvaluation(
        boxes=count,
        ap50=math.fsum(known) / len(known) if known else None,
        recall=1 - float(result.missed[of_box].sum()) / count if count else None,
    )
