"""Why a detection is false, after TIDE (Bolya et al., ECCV 2020): what would have had to be better.

In this order: 'duplicate' overlaps a box of its class enough, which a better scored detection found; 'localisation'
overlaps one of its class, but not enough; 'class' overlaps a box of another class enough, 'both' not enough;
'background' overlaps nothing. Enough is IoU 0.5, and below 0.1 is nothing. Boxes that nobody found are 'missed'.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fgfi_core.evaluation.flat import Flat
from fgfi_core.evaluation.matching import Judged
from fgfi_core.evaluation.pairs import overlapping
from fgfi_core.evaluation.report import ERROR_KINDS, Counts, ErrorKind

ENOUGH, NOTHING = 0.5, 0.1


class Outcome(NamedTuple):
    """What became of everything that counts from some scores on; errors are indices in ERROR_KINDS, -1 for none.

    true, ignored: [D] bool. error: [D] of a false detection. missed: [G] bool.
    """

    true: NDArray[np.bool_]
    ignored: NDArray[np.bool_]
    error: NDArray[np.int64]
    missed: NDArray[np.bool_]


def outcome(flat: Flat, judged: Judged, kept: NDArray[np.bool_]) -> Outcome:
    """Sort what was judged at IoU 0.5. kept: [D] bool, detections scored well enough to be looked at."""
    true = judged.true & kept
    missed = ~flat.truth.difficult
    missed[judged.owner[true]] = False
    error = np.where(kept & ~judged.true & ~judged.ignored, _kinds(flat, judged), -1)
    return Outcome(true, judged.ignored & kept, error, missed)


def counts(flat: Flat, result: Outcome, classes: Sequence[str]) -> tuple[Counts, dict[str, Counts]]:
    """Count outcomes, of all classes and of each."""
    found, truth = flat.found.labels, flat.truth.labels
    by_class = {
        name: _counts(result, np.flatnonzero(found == c), np.flatnonzero(truth == c)) for c, name in enumerate(classes)
    }
    return _counts(result, np.arange(len(found)), np.arange(len(truth))), by_class


def _counts(result: Outcome, found: NDArray[np.int64], truth: NDArray[np.int64]) -> Counts:
    errors = np.bincount(result.error[found] + 1, minlength=len(ERROR_KINDS) + 1)[1:]
    errors[_number("missed")] = result.missed[truth].sum()
    return Counts(
        true=int(result.true[found].sum()),
        ignored=int(result.ignored[found].sum()),
        errors={kind: int(errors[_number(kind)]) for kind in ERROR_KINDS},
    )


def _kinds(flat: Flat, judged: Judged) -> NDArray[np.int64]:
    found, truth = flat.found, flat.truth
    pairs = overlapping(found.boxes, found.image, truth.boxes, truth.image, NOTHING)
    same = found.labels[pairs.a] == truth.labels[pairs.b]
    own, other = (np.zeros(len(found.labels)) for _ in range(2))
    for most, mask in ((own, same), (other, ~same)):
        best = pairs.where(mask).best()
        most[best.a] = best.overlap
    return np.select(
        [judged.owner >= 0, own >= NOTHING, other >= ENOUGH, other >= NOTHING],
        [_number("duplicate"), _number("localisation"), _number("class"), _number("both")],
        _number("background"),
    )


def _number(kind: ErrorKind) -> int:
    return ERROR_KINDS.index(kind)
