"""Which class was found where which one is."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from fgfi_core.evaluation.flat import Flat
from fgfi_core.evaluation.in_turn import choose, turns
from fgfi_core.evaluation.matching import inside
from fgfi_core.evaluation.pairs import overlapping
from fgfi_core.evaluation.report import Confusion

IOU = 0.5


def confusion(flat: Flat, kept: NDArray[np.bool_], classes: Sequence[str]) -> Confusion:
    """Match greedily whatever the class: best score first, each detection takes the free box that it overlaps most.

    Of boxes that overlap equally it takes one of its own class. Detections without a box that overlap a difficult one,
    or lie in a region where nothing counts, are left out.
    kept: [D] bool, detections scored well enough to be looked at.
    """
    # Best score first from here on.
    order = flat.best_first[kept[flat.best_first]]
    found, truth = flat.found.rows(order), flat.truth
    pairs = overlapping(found.boxes, found.image, truth.boxes, truth.image, IOU)
    counted = ~truth.difficult
    candidates = pairs.where(counted[pairs.b])
    other = found.labels[candidates.a] != truth.labels[candidates.b]
    # Sorting keeps the order of equals: first by class, then by overlap.
    candidates = candidates.preferring(-other.astype(np.float64))
    candidates = candidates.preferring(candidates.overlap)
    taken = choose(candidates, turns(found.image), np.ones((len(truth.labels), 1), np.bool_))[:, 0]
    hit = taken >= 0
    missed = counted.copy()
    missed[taken[hit]] = False
    stray = ~hit & ~inside(found, flat.regions)
    stray[pairs.a[truth.difficult[pairs.b]]] = False
    nothing = len(classes)
    table = np.zeros((nothing + 1, nothing + 1), np.int64)
    np.add.at(table, (truth.labels[taken[hit]], found.labels[hit]), 1)
    table[nothing, :nothing] = np.bincount(found.labels[stray], minlength=nothing)
    table[:nothing, nothing] = np.bincount(truth.labels[missed], minlength=nothing)
    return Confusion(classes=tuple(classes), counts=tuple(tuple(row) for row in table.tolist()))
