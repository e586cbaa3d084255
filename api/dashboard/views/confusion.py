"""Which class was found where which one is: a table with shades, and the mistakes that were made most."""

from dataclasses import dataclass

from api.dashboard.views.measured import Confusion

# A wider table is not read; then the list of mistakes says it.
MOST_CLASSES = 16
MOST_MISTAKES = 10
SHADES = 9
NO_BOX, NOTHING = "no box", "nothing found"


@dataclass(frozen=True)
class Cell:
    """count; share: of its row, None without a row's boxes; shade: 0 to SHADES; right: on the diagonal."""

    count: int
    share: float | None
    shade: int
    right: bool


@dataclass(frozen=True)
class Matrix:
    """columns: the classes, then `nothing found`. rows: a label and its cells."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, tuple[Cell, ...]], ...]


@dataclass(frozen=True)
class Mistake:
    """Boxes of one class that were found as another one."""

    truth: str
    found: str
    count: int


def matrix(confusion: Confusion) -> Matrix | None:
    """The table; None for more classes than one can look over."""
    if len(confusion.classes) > MOST_CLASSES:
        return None
    labels = (*confusion.classes, NO_BOX)
    rows = tuple(
        (label, _cells(counts, row)) for row, (label, counts) in enumerate(zip(labels, confusion.counts, strict=True))
    )
    return Matrix((*confusion.classes, NOTHING), rows)


def mistakes(confusion: Confusion) -> tuple[Mistake, ...]:
    """Classes that were taken for one another, most often first; without boxes missed and detections of nothing."""
    found = [
        Mistake(truth, seen, confusion.counts[row][column])
        for row, truth in enumerate(confusion.classes)
        for column, seen in enumerate(confusion.classes)
        if row != column and confusion.counts[row][column]
    ]
    return tuple(sorted(found, key=lambda one: -one.count)[:MOST_MISTAKES])


def _cells(counts: tuple[int, ...], row: int) -> tuple[Cell, ...]:
    whole = sum(counts)
    shares = [count / whole if whole else None for count in counts]
    return tuple(
        Cell(count, share, round(SHADES * (share or 0.0)), column == row)
        for column, (count, share) in enumerate(zip(counts, shares, strict=True))
    )
