"""Average precision by the rule of the Pascal VOC devkit: 11-point (VOC07) and area under the curve (VOC10 on).

The devkit adds 1 to widths because its boxes include both end pixels; our continuous boxes contain that already. A
detection belongs to the box it overlaps most (the first of equals), difficult or not; the best scored detection of a
box is true, later ones are false, those of a difficult box count as neither. Equal scores keep their order.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from fgfi_core.data.dataset import Example
from fgfi_core.errors import BadData
from fgfi_core.evaluation.detections import ImageDetections
from fgfi_core.evaluation.matching import first_claims, owners
from fgfi_core.results import Score

Scalar = TypeVar("Scalar", bound=np.generic)
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
    if len(detections) != len(examples):
        raise ValueError(f"{len(detections)} images with detections for {len(examples)} examples")
    labels = _concatenate([found.labels for found in detections], np.int64)
    scores = _concatenate([found.scores for found in detections], np.float32)
    owner = _owners(detections, examples, iou)
    difficult = _concatenate([example.difficult for example in examples], np.bool_)
    truth = _concatenate([example.labels for example in examples], np.int64)
    return VocReport(
        iou=iou,
        classes={
            name: _class_result(scores[labels == c], owner[labels == c], difficult, int(np.sum(~difficult[truth == c])))
            for c, name in enumerate(classes)
        },
    )


def _owners(detections: Sequence[ImageDetections], examples: Sequence[Example], iou: float) -> NDArray[np.int64]:
    """Like `owners`, over the whole split, with the boxes numbered through."""
    parts, offset = [], 0
    for found, example in zip(detections, examples, strict=True):
        owner = owners(found, example, iou)
        owner[owner >= 0] += offset
        parts.append(owner)
        offset += len(example.labels)
    return _concatenate(parts, np.int64)


def _class_result(
    scores: NDArray[np.float32], owner: NDArray[np.int64], difficult: NDArray[np.bool_], boxes: int
) -> ClassResult:
    order = np.argsort(-scores, kind="stable")
    scores, owner = scores[order], owner[order]
    # Detections of difficult boxes count as neither true nor false.
    counts = np.ones(len(owner), dtype=np.bool_)
    counts[owner >= 0] = ~difficult[owner[owner >= 0]]
    scores, true = scores[counts], first_claims(owner[counts])
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


def _concatenate(parts: Sequence[NDArray[Scalar]], dtype: type[Scalar]) -> NDArray[Scalar]:
    return np.concatenate([*parts, np.zeros(0, dtype)]).astype(dtype, copy=False)
