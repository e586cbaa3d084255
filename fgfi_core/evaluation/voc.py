"""Average precision by the rule of the Pascal VOC devkit: 11-point (VOC07) and area under the curve (VOC10 on).

The devkit adds 1 to widths because its boxes include both end pixels; our continuous boxes contain that already. Which
detection is true, false or neither is the rule of `matching.py`: the devkit's, and besides it regions where nothing
counts.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fgfi_core.data.dataset import Example
from fgfi_core.errors import BadData
from fgfi_core.evaluation.flat import Flat, flatten
from fgfi_core.evaluation.found import ImageDetections
from fgfi_core.evaluation.matching import Judged, judge_all
from fgfi_core.results import Score

# As the devkit computes its recall levels: 3 * 0.1 is a little more than 0.3, and a recall of exactly 0.3 misses it.
_LEVELS = np.arange(11) * 0.1


@dataclass(frozen=True, eq=False)
class ClassResult:
    """One class.

    boxes: ground truth that counts (not difficult). ap, ap_11: None without such a box. precision, recall, scores: [D]
    after each detection that counts, best first.
    """

    boxes: int
    ap: float | None
    ap_11: float | None
    precision: NDArray[np.float64]
    recall: NDArray[np.float64]
    scores: NDArray[np.float32]

    @property
    def best_threshold(self) -> float:
        """The score from which on detections balance precision and recall best (largest F1); 1 without detections."""
        both = self.precision + self.recall
        if not len(both) or not both.max():
            return 1.0
        harmonic = np.divide(self.precision * self.recall, both, out=np.zeros_like(both), where=both > 0)
        return float(self.scores[harmonic.argmax()])


@dataclass(frozen=True, eq=False)
class VocReport:
    """All classes at one IoU threshold. Means are over classes with at least one box; nan when there is none."""

    iou: float
    classes: Mapping[str, ClassResult]

    @property
    def map50(self) -> float:
        """Mean area AP (at `iou`, 0.5 unless told otherwise)."""
        return _mean([result.ap for result in self.classes.values()])

    @property
    def map50_11(self) -> float:
        """Mean 11-point AP."""
        return _mean([result.ap_11 for result in self.classes.values()])

    def to_score(self) -> Score:
        """Return the numbers that results keep. Raises BadData when no class has a box: nothing was measured."""
        if all(result.ap is None for result in self.classes.values()):
            raise BadData("The measured split has no box that counts.", hint="Choose a split with labelled images.")
        return Score(
            map50=self.map50,
            map50_11=self.map50_11,
            ap50={name: result.ap for name, result in self.classes.items()},
        )


def evaluate(
    detections: Sequence[ImageDetections], examples: Sequence[Example], classes: Sequence[str], iou: float = 0.5
) -> VocReport:
    """Measure detections against the examples' boxes, image by image in the same order.

    Raises ValueError when the two lists differ in length.
    """
    flat = flatten(detections, examples)
    return report(flat, judge_all(flat, iou), classes, iou)


def report(flat: Flat, judged: Judged, classes: Sequence[str], iou: float = 0.5) -> VocReport:
    """Count what was judged, class by class."""
    results = class_results(flat, judged.true, ~judged.ignored, boxes_by_class(flat, ~flat.truth.difficult, classes))
    return VocReport(iou=iou, classes=dict(zip(classes, results, strict=True)))


def boxes_by_class(flat: Flat, counted: NDArray[np.bool_], classes: Sequence[str]) -> list[int]:
    """How many of the boxes that count ([G] bool) are of each class."""
    return [int(n) for n in np.bincount(flat.truth.labels[counted], minlength=len(classes))[: len(classes)]]


def class_results(
    flat: Flat, true: NDArray[np.bool_], counted: NDArray[np.bool_], boxes: Sequence[int]
) -> list[ClassResult]:
    """Curves and AP of each class. true, counted: [D] bool over the detections. boxes: how many of each class count."""
    order = flat.best_first[counted[flat.best_first]]
    # As small numbers labels are sorted several times faster.
    order = order[np.argsort(flat.found.labels[order].astype(np.uint16), kind="stable")]
    ends = np.searchsorted(flat.found.labels[order], np.arange(len(boxes) + 1))
    return [
        _class_result(flat.found.scores[order[a:b]], true[order[a:b]], count)
        for a, b, count in zip(ends[:-1], ends[1:], boxes, strict=True)
    ]


def _class_result(scores: NDArray[np.float32], true: NDArray[np.bool_], boxes: int) -> ClassResult:
    true_so_far = np.cumsum(true)
    precision = true_so_far / np.arange(1, len(true) + 1)
    recall = true_so_far / boxes if boxes else np.zeros(len(true))
    return ClassResult(
        boxes=boxes,
        ap=area(precision, recall) if boxes else None,
        ap_11=eleven_point(precision, recall) if boxes else None,
        precision=precision,
        recall=recall,
        scores=scores,
    )


def area(precision: NDArray[np.float64], recall: NDArray[np.float64]) -> float:
    """Area under the curve after precision is made monotonous from the right."""
    steps = np.diff(recall, prepend=0.0)
    return float(np.sum(steps * _envelope(precision)))


def eleven_point(precision: NDArray[np.float64], recall: NDArray[np.float64]) -> float:
    """Mean over the recalls 0, 0.1 ... 1 of the best precision at that recall or beyond."""
    envelope = np.append(_envelope(precision), 0.0)
    return float(envelope[np.searchsorted(recall, _LEVELS, side="left")].mean())


def _envelope(precision: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.maximum.accumulate(precision[::-1])[::-1]


def _mean(values: Sequence[float | None]) -> float:
    known = [value for value in values if value is not None]
    return math.fsum(known) / len(known) if known else math.nan
