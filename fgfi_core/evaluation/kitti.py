"""KITTI's object benchmark: AP of cars, pedestrians and cyclists over 11 and over 40 recalls, for three difficulties.

The rule is that of the devkit's evaluate_object.cpp (Geiger et al., 2012; 40 recalls since 2019):
- a box counts for a difficulty if it is high, visible and whole enough; other boxes of the class and its neighbours
  (vans, sitting persons: difficult boxes here) may be found, and are neither true nor missed.
- boxes take detections in the order of the label file. First for all detections, each box the best scored one: those
  scores are thinned to thresholds, about one for each of 41 recalls. Then, at each threshold, each box the detection
  that overlaps it most.
- a detection that is not high enough is never true or false, but a box may take it at first, whatever its class, and
  then gives no score.
- a detection that no box took and that lies in a DontCare region counts for nothing.

The devkit stops at the last threshold, so a class with fewer than about 40 boxes cannot reach 1. It divides by zero at
a threshold where nothing is true or false; precision is 0 there.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fgfi_core.errors import BadSpec
from fgfi_core.evaluation.flat import Flat
from fgfi_core.evaluation.in_turn import choose, turns
from fgfi_core.evaluation.matching import inside
from fgfi_core.evaluation.pairs import overlapping
from fgfi_core.evaluation.report import DIFFICULTIES, Difficulty, KittiClass, KittiNumbers

# The least overlap, which a detection must exceed.
OVERLAP = {"car": 0.7, "pedestrian": 0.5, "cyclist": 0.5}
RECALLS = 41


class Limits(NamedTuple):
    """What counts at a difficulty. height: pixels at least. occlusion, truncation: at most."""

    height: float
    occlusion: int
    truncation: float


LIMITS: dict[Difficulty, Limits] = {
    "easy": Limits(40, 0, 0.15),
    "moderate": Limits(25, 1, 0.30),
    "hard": Limits(25, 2, 0.50),
}


def refuse_strangers(classes: Sequence[str]) -> None:
    """Raise BadSpec for classes that KITTI does not know: they have no rule."""
    strangers = [name for name in classes if name.lower() not in OVERLAP]
    if strangers:
        raise BadSpec(
            f"KITTI's evaluation knows Car, Pedestrian and Cyclist, not {', '.join(map(repr, strangers))}.",
            hint="Leave 'kitti' out of 'evaluation'; 'voc' and 'coco' measure any class.",
        )


def evaluate(flat: Flat, classes: Sequence[str]) -> KittiNumbers:
    """Measure by KITTI's protocol. Raises BadSpec for classes that KITTI does not know."""
    refuse_strangers(classes)
    by_class = {}
    for label, name in enumerate(classes):
        one = _Class(flat, label, OVERLAP[name.lower()])
        curves = {difficulty: one.precision(LIMITS[difficulty]) for difficulty in DIFFICULTIES}
        by_class[name] = KittiClass(
            ap11={d: None if p is None else float(p[::4].mean()) for d, p in curves.items()},
            ap40={d: None if p is None else float(p[1:].mean()) for d, p in curves.items()},
        )
    return KittiNumbers(
        classes=by_class,
        map11=_mean([ap for one in by_class.values() for ap in one.ap11.values()]),
        map40=_mean([ap for one in by_class.values() for ap in one.ap40.values()]),
    )


class _Class:
    """What is the same for all difficulties: rows of the class, and which overlap enough."""

    def __init__(self, flat: Flat, label: int, overlap: float) -> None:
        own = flat.truth.labels == label
        self.truth = flat.truth.rows(own)
        heights = np.abs(flat.found.boxes[:, 3] - flat.found.boxes[:, 1])
        lowest = max(limits.height for limits in LIMITS.values())
        rows = (flat.found.labels == label) | (heights < lowest)
        self.found = flat.found.rows(rows)
        self.of_class = self.found.labels == label
        self.heights, self.scores = heights[rows], self.found.scores.astype(np.float64)
        self.somewhere = ~inside(self.found, flat.regions, np.nextafter(overlap, 1))
        near = overlapping(self.truth.boxes, self.truth.image, self.found.boxes, self.found.image, overlap)
        near = near.where(near.overlap > overlap)
        self.by_score, self.by_overlap = near.preferring(self.scores[near.b]), near.preferring(near.overlap)
        self.turn = np.zeros(len(self.truth.labels), np.int64)
        candidates = np.unique(near.a)
        self.turn[candidates] = turns(self.truth.image[candidates])

    def precision(self, limits: Limits) -> NDArray[np.float64] | None:
        """[41] at each recall the best from there on; None without a box that counts."""
        truth = self.truth
        height = truth.boxes[:, 3] - truth.boxes[:, 1]
        out = (truth.occlusion > limits.occlusion) | _more(truth.truncation, limits.truncation)
        counted = ~(truth.difficult | out | (height < limits.height))
        if not counted.any():
            return None
        low = self.heights < limits.height
        thresholds = self._thresholds(counted, low)
        true, false = self._counts(thresholds, counted, self.of_class & ~low)
        precision = np.zeros(RECALLS)
        np.divide(true, true + false, out=precision[: len(thresholds)], where=true + false > 0)
        return np.maximum.accumulate(precision[::-1])[::-1]

    def _thresholds(self, counted: NDArray[np.bool_], low: NDArray[np.bool_]) -> NDArray[np.float64]:
        taken = choose(self.by_score, self.turn, (self.of_class | low)[:, None])[:, 0]
        taken = taken[counted & (taken >= 0)]
        return thinned(self.scores[taken[~low[taken]]], int(counted.sum()))

    def _counts(
        self, thresholds: NDArray[np.float64], counted: NDArray[np.bool_], regular: NDArray[np.bool_]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """True and false detections at each threshold."""
        scores = np.where(regular, self.scores, -np.inf)
        taken = choose(self.by_overlap, self.turn, scores[:, None] >= thresholds)
        box, game = np.nonzero(taken >= 0)
        true = np.bincount(game[counted[box]], minlength=len(thresholds))
        stray = regular & self.somewhere
        strays = stray.sum() - np.searchsorted(np.sort(self.scores[stray]), thresholds)
        return true, strays - np.bincount(game[stray[taken[box, game]]], minlength=len(thresholds))


def thinned(scores: NDArray[np.float64], boxes: int) -> NDArray[np.float64]:
    """The thresholds: of all true detections' scores those whose recall is nearest to 0, 1/40, 2/40 ... 1.

    At most 41, best first. boxes: how many count.
    """
    scores = np.sort(scores)[::-1]
    left = np.arange(1, len(scores) + 1) / boxes
    right = np.append(left[1:], left[-1:])
    kept, recall, begin = [], 0.0, 0
    while begin < len(scores):
        # The next score would be farther from the recall that is looked for; the last one is always taken.
        nearest = right[begin:] - recall >= recall - left[begin:]
        nearest[-1] = True
        begin += int(nearest.argmax())
        kept.append(scores[begin])
        recall += 1 / (RECALLS - 1)
        begin += 1
    return np.array(kept[:RECALLS])


def _more(truncation: NDArray[np.float32], limit: float) -> NDArray[np.bool_]:
    # Labels are written with two decimals; as float32 0.3 is a little more than 0.3.
    return truncation.astype(np.float64).round(6) > limit


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None
