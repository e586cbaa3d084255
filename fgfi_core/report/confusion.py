"""Which class was found where which one is, as a table that can be read: large ones keep their largest classes."""

from dataclasses import dataclass

import numpy as np

from fgfi_core.evaluation.report import Confusion

MOST = 12
REST = "other classes"


@dataclass(frozen=True)
class Cell:
    """count, and its share of the row. right: the class itself. empty: the corner that means nothing."""

    count: int
    share: float
    right: bool
    empty: bool


@dataclass(frozen=True)
class ConfusionTable:
    """rows: name of the true class ('no box' for the last), boxes or detections in it, and a cell for each column."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, int, tuple[Cell, ...]], ...]


def confusion_table(confusion: Confusion) -> ConfusionTable:
    """The matrix; with more than MOST classes those with fewest boxes are taken together."""
    counts = np.array(confusion.counts, dtype=np.int64)
    names = list(confusion.classes)
    if len(names) > MOST:
        largest = np.sort(np.argsort(-counts[:-1].sum(1), kind="stable")[: MOST - 1])
        rest = np.setdiff1d(np.arange(len(names)), largest)
        kept: list[list[int]] = [*([int(i)] for i in largest), [int(i) for i in rest], [len(names)]]
        counts = np.array([[counts[np.ix_(a, b)].sum() for b in kept] for a in kept])
        names = [*(names[i] for i in largest), REST]
    last = len(names)
    rows = []
    for i, name in enumerate([*names, "no box"]):
        total = int(counts[i].sum())
        cells = tuple(
            Cell(int(count), int(count) / total if total else 0.0, right=i == j, empty=i == j == last)
            for j, count in enumerate(counts[i])
        )
        rows.append((name, total, cells))
    return ConfusionTable((*names, "missed"), tuple(rows))
