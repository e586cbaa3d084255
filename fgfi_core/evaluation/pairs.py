"""Which boxes overlap which, over a whole split at once: only pairs that overlap enough are kept."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Boxes = NDArray[np.float64]
Overlap = Callable[[Boxes, Boxes], NDArray[np.float64]]

# Pairs looked at in one go: enough to be fast, few enough (some 100 MB) for any split.
_AT_ONCE = 1_000_000


class Pairs(NamedTuple):
    """Pairs of rows that overlap, in order of `a` and then of `b`; a, b: [P] indices, overlap: [P]."""

    a: NDArray[np.int64]
    b: NDArray[np.int64]
    overlap: NDArray[np.float64]

    def where(self, kept: NDArray[np.bool_]) -> "Pairs":
        """The pairs of this mask, [P] bool."""
        return Pairs(self.a[kept], self.b[kept], self.overlap[kept])

    def best(self) -> "Pairs":
        """For each `a` the pair that overlaps most, the first of equals."""
        if not len(self.a):
            return self
        starts = np.flatnonzero(np.diff(self.a, prepend=-1))
        most = np.maximum.reduceat(self.overlap, starts)
        equal = self.where(self.overlap == np.repeat(most, np.diff(starts, append=len(self.a))))
        return equal.where(np.diff(equal.a, prepend=-1) > 0)


def iou(a: Boxes, b: Boxes) -> NDArray[np.float64]:
    """Intersection over union, row by row: [P, 4] and [P, 4] xyxy to [P]; 0 for a pair without area."""
    intersection = _intersection(a, b)
    union = _area(a) + _area(b) - intersection
    return np.divide(intersection, union, out=np.zeros_like(union), where=union > 0)


def share_inside(a: Boxes, b: Boxes) -> NDArray[np.float64]:
    """Intersection over the area of `a`, row by row: [P, 4] and [P, 4] xyxy to [P]; 0 where `a` has no area."""
    intersection, area = _intersection(a, b), _area(a)
    return np.divide(intersection, area, out=np.zeros_like(area), where=area > 0)


def overlapping(
    a: Boxes,
    a_key: NDArray[np.int64],
    b: Boxes,
    b_key: NDArray[np.int64],
    at_least: float,
    overlap: Overlap = iou,
) -> Pairs:
    """All pairs of equal key (the image, say) that overlap by `at_least`. a: [A, 4], b: [B, 4] xyxy; keys: [A], [B]."""
    parts = [Pairs(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0))]
    for rows_a, rows_b in _of_equal_key(a_key, b_key):
        found = Pairs(rows_a, rows_b, overlap(a[rows_a], b[rows_b]))
        parts.append(found.where(found.overlap >= at_least))
    return Pairs(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def _of_equal_key(
    a_key: NDArray[np.int64], b_key: NDArray[np.int64]
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    order = np.argsort(b_key, kind="stable")
    ordered = b_key[order]
    first = np.searchsorted(ordered, a_key, side="left")
    counts = np.searchsorted(ordered, a_key, side="right") - first
    ends = np.cumsum(counts)
    begin = 0
    while begin < len(a_key):
        done = ends[begin - 1] if begin else 0
        end = max(int(np.searchsorted(ends, done + _AT_ONCE, side="right")), begin + 1)
        here = counts[begin:end]
        within = np.arange(here.sum()) - np.repeat(np.cumsum(here) - here, here)
        yield np.repeat(np.arange(begin, end), here), order[np.repeat(first[begin:end], here) + within]
        begin = end


def _intersection(a: Boxes, b: Boxes) -> NDArray[np.float64]:
    width = np.minimum(a[:, 2], b[:, 2]) - np.maximum(a[:, 0], b[:, 0])
    height = np.minimum(a[:, 3], b[:, 3]) - np.maximum(a[:, 1], b[:, 1])
    area: NDArray[np.float64] = width.clip(min=0) * height.clip(min=0)
    return area


def _area(boxes: Boxes) -> NDArray[np.float64]:
    return (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
