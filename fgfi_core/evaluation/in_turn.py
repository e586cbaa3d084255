"""Greedy assignment in turns: each chooser takes the first of its candidates that is still free.

Choosers of different images never compete, so all first choosers of their images choose together, then all second ones.
"""

import numpy as np
from numpy.typing import NDArray

from fgfi_core.evaluation.pairs import Pairs


def turns(group: NDArray[np.int64]) -> NDArray[np.int64]:
    """[N]: how many rows before each one are of its group."""
    order = np.argsort(group, kind="stable")
    ordered = group[order]
    out = np.zeros(len(group), np.int64)
    out[order] = np.arange(len(group)) - np.searchsorted(ordered, ordered, side="left")
    return out


def choose(candidates: Pairs, turn: NDArray[np.int64], free: NDArray[np.bool_]) -> NDArray[np.int64]:
    """What each chooser takes, in each of T independent games: [N, T] items, -1 for nothing.

    candidates: choosers `a` and items `b`, ordered by chooser and then by preference. turn: [N] of each chooser;
    choosers of one turn share no item. free: [I, T] items at the beginning, used up: what is taken is free no more.
    """
    out = np.full((len(turn), free.shape[1]), -1, np.int64)
    counts = np.bincount(candidates.a, minlength=len(turn))
    starts = np.cumsum(counts) - counts
    for now in range(int(turn.max(initial=-1)) + 1):
        who = np.flatnonzero((turn == now) & (counts > 0))
        if not len(who):
            continue
        # [choosers, candidates]: a chooser with fewer has others' behind them, which are not there for it.
        column = np.arange(counts[who].max())
        there = column < counts[who, None]
        table = candidates.b[np.where(there, starts[who, None] + column, 0)]
        available = free[table] & there[:, :, None]
        first = available.argmax(axis=1)
        taken = np.take_along_axis(table, first, axis=1)
        got = np.take_along_axis(available, first[:, None], axis=1)[:, 0]
        free[taken[got], np.nonzero(got)[1]] = False
        out[who] = np.where(got, taken, -1)
    return out
