"""A table as lines of text: one line a row, whatever the width, so that ids can be copied and lines searched."""

import re
from collections.abc import Sequence

from rich.cells import cell_len, set_cell_size

_GAP = "  "
_SHORTEST = 8
# 12, 0.43 M, 1,302, 5m, 3m20s; a dash or nothing where there is none.
_NUMBER = re.compile(r"(-|\d[\d.,]*( ?[A-Za-z%]{1,2}(\d+[a-z])?)?)?")


def lines(
    columns: Sequence[str], rows: Sequence[Sequence[object]], *, width: int | None = None, shorten: str | None = None
) -> list[str]:
    """The header and the rows, numbers to the right.

    width: columns of the terminal; None for no limit. shorten: the column whose texts are cut to keep to it.
    """
    cells = [["" if cell is None else " ".join(str(cell).split()) for cell in row] for row in rows]
    widths = [max(map(cell_len, column)) for column in zip(columns, *cells, strict=True)]
    if width is not None and shorten is not None:
        at = columns.index(shorten)
        excess = sum(widths) + len(_GAP) * (len(widths) - 1) - width
        widths[at] = min(widths[at], max(_SHORTEST, widths[at] - excess))
    right = [any(column) and all(map(_NUMBER.fullmatch, column)) for column in zip(*cells, strict=True)]
    right = right or [False] * len(columns)
    return [_GAP.join(map(_fit, row, widths, right)).rstrip() for row in (columns, *cells)]


def _fit(text: str, size: int, right: bool) -> str:
    """The text in exactly so many cells; wide letters take two."""
    if cell_len(text) > size:
        return set_cell_size(text, size - 1) + "…"
    space = " " * (size - cell_len(text))
    return space + text if right else text + space
