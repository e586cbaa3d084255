"""Kinds of errors, the roles beside one another."""

from collections.abc import Mapping
from dataclasses import dataclass

from api.dashboard.views.measured import Counts
from api.scores import Role

KINDS = {
    "missed": ("Missed", "a box that nobody found"),
    "background": ("Background", "a detection where nothing is"),
    "localisation": ("Place", "its class, but beside the box"),
    "class": ("Class", "the box, but another class"),
    "both": ("Class and place", "another class, and beside the box"),
    "duplicate": ("Twice", "a second detection of a box"),
}


@dataclass(frozen=True)
class KindRow:
    """One kind. shares: of the largest number in the table, for bars."""

    label: str
    means: str
    counts: Mapping[Role, int]
    shares: Mapping[Role, float]


def kind_rows(counts: Mapping[Role, Counts]) -> tuple[KindRow, ...]:
    """The kinds that occur, in the order in which they are mended."""
    largest = max((number for one in counts.values() for number in one.errors.values()), default=0) or 1
    rows = []
    for kind, (label, means) in KINDS.items():
        own = {role: one.errors.get(kind, 0) for role, one in counts.items()}
        if any(own.values()):
            rows.append(KindRow(label, means, own, {role: number / largest for role, number in own.items()}))
    return tuple(rows)
