"""Which boxes overlap which, over a whole split at once: only pairs that overlap enough are kept."""

from collections.abc import Iterator
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

Boxes = NDArray[np.float64]
Rows = NDArray[np.int64]

# Pairs looked at in one go: their columns stay in the processor's cache, several times faster than all pairs at once.
_AT_ONCE = 10_000


class Pairs(NamedTuple):
    """Pairs of rows that overlap, in order of `a` and then of `b`; a, b: [P] indices, overlap: [P]."""

    a: NDArray[np.int64]
    b: NDArray[np.int64]
    overlap: NDArray[np.float64]

    def where(self, kept: NDArray[np.bool_]) -> "Pairs":
        """The pairs of this mask, [P] bool."""
        # Several times faster than by the mask itself.
        rows = np.flatnonzero(kept)
        return Pairs(self.a.take(rows), self.b.take(rows), self.overlap.take(rows))

    def preferring(self, worth: NDArray[np.float64]) -> "Pairs":
        """The pairs in order of `a`, then of worth ([P], the most first), then as they were."""
        order = np.lexsort((-worth, self.a))
        return Pairs(self.a[order], self.b[order], self.overlap[order])

    def best(self) -> "Pairs":
        """For each `a` the pair that overlaps most, the first of equals."""
        if not len(self.a):
            return self
        starts = np.flatnonzero(np.diff(self.a, prepend=-1))
        most = np.maximum.reduceat(self.overlap, starts)
        equal = self.where(self.overlap == np.repeat(most, np.diff(starts, append=len(self.a))))
        return equal.where(np.diff(equal.a, prepend=-1) > 0)


def overlapping(
    a: Boxes, a_key: Rows, b: Boxes, b_key: Rows, at_least: float, *, of: Literal["union", "a"] = "union"
) -> Pairs:
    """All pairs of equal key (the image, say) that overlap by `at_least`, which is above 0.

    a: [A, 4], b: [B, 4] xyxy. a_key, b_key: [A], [B], from 0. The overlap is the intersection over the union, or over
    the area of `a` alone; boxes without area overlap nothing.
    """
    nothing = Pairs(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0))
    if not len(a) or not len(b):
        return nothing
    corners_a, corners_b = (np.ascontiguousarray(boxes.T) for boxes in (a, b))
    area_a, area_b = ((right - left) * (bottom - top) for left, top, right, bottom in (corners_a, corners_b))
    parts = [nothing]
    for rows_a, rows_b in _of_equal_key(a_key, b_key):
        found = _intersections(corners_a, rows_a, corners_b, rows_b)
        whole = area_a.take(found.a)
        if of == "union":
            whole = whole + area_b.take(found.b) - found.overlap
        overlap = found.overlap / whole
        parts.append(Pairs(found.a, found.b, overlap).where(overlap >= at_least))
    return Pairs(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def _of_equal_key(a_key: Rows, b_key: Rows) -> Iterator[tuple[Rows, Rows]]:
    keys = int(max(a_key.max(initial=-1), b_key.max(initial=-1))) + 1
    order = np.argsort(b_key, kind="stable")
    of_key = np.bincount(b_key, minlength=keys)
    counts = of_key[a_key]
    first = (np.cumsum(of_key) - of_key)[a_key]
    ends = np.cumsum(counts)
    begin = 0
    while begin < len(a_key):
        done = ends[begin - 1] if begin else 0
        end = max(int(np.searchsorted(ends, done + _AT_ONCE, side="right")), begin + 1)
        here = counts[begin:end]
        # Of each row of `a` the first of its key in `b`, and from there on one by one.
        offset = first[begin:end] - (np.cumsum(here) - here)
        yield np.repeat(np.arange(begin, end), here), order.take(np.repeat(offset, here) + np.arange(here.sum()))
        begin = end


def _intersections(a: Boxes, rows_a: Rows, b: Boxes, rows_b: Rows) -> Pairs:
    """Those pairs of rows that share an area, and how much. a, b: [4, *], column by column."""
    wide = _shared(a, rows_a, b, rows_b, 0)
    # Most boxes of an image lie beside each other.
    wide = wide.where(wide.overlap > 0)
    high = _shared(a, wide.a, b, wide.b, 1)
    return Pairs(wide.a, wide.b, wide.overlap * high.overlap).where(high.overlap > 0)


def _shared(a: Boxes, rows_a: Rows, b: Boxes, rows_b: Rows, start: Literal[0, 1]) -> Pairs:
    """The length that both share along x (0) or y (1), not above zero for boxes apart."""
    end = start + 2
    last = np.minimum(a[end].take(rows_a), b[end].take(rows_b))
    return Pairs(rows_a, rows_b, last - np.maximum(a[start].take(rows_a), b[start].take(rows_b)))
