"""Which detection belongs to which box: the one rule behind average precision and behind the pictures of errors.

A detection belongs to the box of its class that it overlaps most (the first of equals), difficult or not. The best
scored detection of a box is true, later ones are false, those of a difficult box count as neither. So does a detection
that belongs to no box and lies by half or more inside a region where nothing counts (`Example.ignored`): Pascal VOC
has no such regions, but where KITTI says that it did not label, nobody can say that a detection is wrong.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fgfi_core.data.dataset import Example
from fgfi_core.evaluation.flat import Flat, Found, Regions, flatten
from fgfi_core.evaluation.found import ImageDetections
from fgfi_core.evaluation.pairs import overlapping

INSIDE = 0.5


@dataclass(frozen=True, eq=False)
class Verdict:
    """One image, judged.

    true, false: [N] bool over the detections; both False for one that does not count. missed: [G] bool over the boxes.
    """

    true: NDArray[np.bool_]
    false: NDArray[np.bool_]
    missed: NDArray[np.bool_]


class Judged(NamedTuple):
    """A split, judged: [D] each. owner: the box (its index in the split) that a detection belongs to, or -1."""

    owner: NDArray[np.int64]
    true: NDArray[np.bool_]
    ignored: NDArray[np.bool_]


def judge(found: ImageDetections, example: Example, iou: float = 0.5) -> Verdict:
    """Judge the detections of one image as average precision does."""
    flat = flatten([found], [example])
    owner, true, ignored = judge_all(flat, iou)
    missed = ~example.difficult
    missed[owner[owner >= 0]] = False
    return Verdict(true=true, false=~true & ~ignored, missed=missed)


def judge_all(flat: Flat, iou: float = 0.5) -> Judged:
    """Judge all detections of a split. Equal scores keep their order."""
    owner = owners(flat, iou)
    owned = owner >= 0
    claimed = np.zeros(len(owner), dtype=np.bool_)
    order = flat.best_first[owned[flat.best_first]]
    # The first of each box: where several are written to one place, numpy keeps the last.
    first = np.full(len(flat.truth.labels), -1, dtype=np.int64)
    first[owner[order[::-1]]] = order[::-1]
    claimed[first[first >= 0]] = True
    ignored = ~owned & inside(flat.found, flat.regions)
    ignored[owned] = flat.truth.difficult[owner[owned]]
    return Judged(owner, claimed & ~ignored, ignored)


def owners(flat: Flat, iou: float) -> NDArray[np.int64]:
    """[D]: the box of its class that each detection overlaps most, by at least `iou` (the first of equals); else -1."""
    found, truth = flat.found, flat.truth
    # One number for image and class.
    classes = max(found.labels.max(initial=0), truth.labels.max(initial=0)) + 1
    found_key, truth_key = (part.image * classes + part.labels for part in (found, truth))
    best = overlapping(found.boxes, found_key, truth.boxes, truth_key, iou).best()
    owner = np.full(len(found.labels), -1, dtype=np.int64)
    owner[best.a] = best.b
    return owner


def inside(found: Found, regions: Regions, share: float = INSIDE) -> NDArray[np.bool_]:
    """[D]: whether at least this share of a detection's area lies in one region."""
    pairs = overlapping(found.boxes, found.image, regions.boxes, regions.image, share, of="a")
    out = np.zeros(len(found.labels), dtype=np.bool_)
    out[pairs.a] = True
    return out
