"""Greedy assignment in turns: each chooser takes the first of its candidates that is still free.

Choosers of different images never compete, so all first choosers of their images choose together, then all second ones.
"""

import numpy as np
from numpy.typing import NDArray


def turns(group: NDArray[np.int64]) -> NDArray[np.int64]:
    """[N]: how many rows before each one are of its group."""
    order = np.argsort(group, kind="stable")
    ordered = group[order]
    out = np.zeros(len(group), np.int64)
    out[order] = np.arange(len(group)) - np.searchsorted(ordered, ordered, side="left")
    return out


def choose(
    chooser: NDArray[np.int64], item: NDArray[np.int64], turn: NDArray[np.int64], free: NDArray[np.bool_]
) -> NDArray[np.int64]:
    """What each chooser takes, in each of T independent games: [N, T] items, -1 for nothing.

    chooser, item: [P] the candidates, ordered by chooser and then by preference. turn: [N] of each chooser; choosers of
    one turn share no item. free: [I, T] items at the beginning; not changed.
    """
    items, games = free.shape
    # A row more, never free, fills the table where a chooser has fewer candidates than another.
    free = np.concatenate([free, np.zeros((1, games), np.bool_)])
    out = np.full((len(turn), games), -1, np.int64)
    counts = np.bincount(chooser, minlength=len(turn))
    starts = np.cumsum(counts) - counts
    for now in range(int(turn.max(initial=-1)) + 1):
        who = np.flatnonzero((turn == now) & (counts > 0))
        if not len(who):
            continue
        column = np.arange(counts[who].max())
        there = column < counts[who, None]
        table = np.where(there, item[np.where(there, starts[who, None] + column, 0)], items)
        available = free[table]
        first = available.argmax(axis=1)
        taken = np.take_along_axis(table, first, axis=1)
        got = available.any(axis=1)
        free[taken[got], np.nonzero(got)[1]] = False
        out[who] = np.where(got, taken, -1)
    return out
