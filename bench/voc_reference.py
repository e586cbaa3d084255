"""Pascal VOC's average precision written out as VOCevaldet.m and VOCap.m do it: loops, inclusive pixels, no cleverness.

What the tests hold `fgfi_core.evaluation.voc` equal to, and what its speed is measured against.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fgfi_core.data import Example
from fgfi_core.evaluation.found import ImageDetections


class Expected(NamedTuple):
    """recall, precision: after each detection that counts, best first. ap: area. ap_11: over 11 points."""

    recall: NDArray[Any]
    precision: NDArray[Any]
    ap: float
    ap_11: float


def devkit(
    detections: Sequence[ImageDetections], examples: Sequence[Example], label: int, minoverlap: float
) -> Expected | None:
    """The matching of VOCevaldet.m for one class; None without a box that counts."""
    truths: list[dict[str, Any]] = []
    npos = 0
    for ex in examples:
        own = ex.labels == label
        boxes = ex.boxes[own].astype(np.float64) + np.array([1, 1, 0, 0])
        truths.append({"bb": boxes, "diff": ex.difficult[own], "det": np.zeros(int(own.sum()), bool)})
        npos += int((~ex.difficult[own]).sum())
    rows = [
        (i, float(score), box.astype(np.float64) + np.array([1, 1, 0, 0]))
        for i, found in enumerate(detections)
        for box, score, lab in zip(found.boxes, found.scores, found.labels, strict=True)
        if lab == label
    ]
    rows.sort(key=lambda row: -row[1])
    tp, fp = np.zeros(len(rows)), np.zeros(len(rows))
    for d, (i, _, bb) in enumerate(rows):
        ovmax, jmax = -np.inf, -1
        for j, bbgt in enumerate(truths[i]["bb"]):
            bi = [max(bb[0], bbgt[0]), max(bb[1], bbgt[1]), min(bb[2], bbgt[2]), min(bb[3], bbgt[3])]
            iw, ih = bi[2] - bi[0] + 1, bi[3] - bi[1] + 1
            if iw > 0 and ih > 0:
                ua = _area(bb) + _area(bbgt) - iw * ih
                if iw * ih / ua > ovmax:
                    ovmax, jmax = iw * ih / ua, j
        if ovmax >= minoverlap:
            if not truths[i]["diff"][jmax]:
                tp[d], fp[d] = not truths[i]["det"][jmax], truths[i]["det"][jmax]
                truths[i]["det"][jmax] = True
        else:
            fp[d] = 1
    return _ap(tp, fp, npos) if npos else None


def _ap(tp: NDArray[Any], fp: NDArray[Any], npos: int) -> Expected:
    """The second half of VOCevaldet.m, and VOCap.m."""
    # A detection of a difficult box repeats the point before it, which changes neither AP; ours leaves it out.
    counts = (tp + fp) > 0
    fp, tp = np.cumsum(fp)[counts], np.cumsum(tp)[counts]
    rec, prec = tp / npos, tp / (fp + tp)
    ap11 = 0.0
    for t in [k * 0.1 for k in range(11)]:
        beyond = prec[rec >= t]
        ap11 += (beyond.max() if beyond.size else 0) / 11
    mrec, mpre = np.array([0, *rec, 1]), np.array([0, *prec, 0])
    for i in range(len(mpre) - 2, -1, -1):
        mpre[i] = max(mpre[i], mpre[i + 1])
    ap = sum((mrec[i] - mrec[i - 1]) * mpre[i] for i in range(1, len(mrec)) if mrec[i] != mrec[i - 1])
    return Expected(rec, prec, float(ap), ap11)


def _area(box: NDArray[Any]) -> float:
    return float((box[2] - box[0] + 1) * (box[3] - box[1] + 1))
