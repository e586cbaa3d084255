"""What goes wrong, by kind: one bar a role, all on one scale, and the numbers behind it; see also `donuts.py`."""

from collections.abc import Mapping
from dataclasses import dataclass

from fgfi_core.evaluation.report import ERROR_KINDS, ErrorKind, Evaluation
from fgfi_core.report.roles import ROLES, Identity
from fgfi_core.results import Role

MEANINGS: dict[ErrorKind, str] = {
    "localisation": "right class, but the box is too far off",
    "class": "right box, but another class",
    "both": "another class, and the box is off",
    "duplicate": "the box was found already",
    "background": "there is nothing",
    "missed": "a box that nobody found",
}


@dataclass(frozen=True)
class Segment:
    """One kind in a role's bar. share: of the longest bar."""

    kind: ErrorKind
    count: int
    share: float


@dataclass(frozen=True)
class ErrorBar:
    """One role: detections that found a box, and its errors by kind."""

    identity: Identity
    true: int
    errors: int
    segments: tuple[Segment, ...]


@dataclass(frozen=True)
class KindRow:
    """One kind over the roles. change: imitated minus plain; None where one of them is missing."""

    kind: ErrorKind
    meaning: str
    counts: Mapping[Role, int]
    change: int | None


def error_bars(evaluations: Mapping[Role, Evaluation]) -> list[ErrorBar]:
    """In the order of the roles."""
    counted = {role: evaluations[role].counts for role in ROLES if role in evaluations}
    totals = {role: sum(counts.errors.values()) for role, counts in counted.items()}
    longest = max([*totals.values(), 1])
    return [
        ErrorBar(
            identity=ROLES[role],
            true=counts.true,
            errors=totals[role],
            segments=tuple(
                Segment(kind, count, count / longest) for kind in ERROR_KINDS if (count := counts.errors.get(kind, 0))
            ),
        )
        for role, counts in counted.items()
    ]


def kind_rows(evaluations: Mapping[Role, Evaluation]) -> list[KindRow]:
    """One row a kind."""
    rows = []
    for kind in ERROR_KINDS:
        counts = {role: evaluations[role].counts.errors.get(kind, 0) for role in ROLES if role in evaluations}
        plain, imitated = counts.get("plain"), counts.get("imitated")
        change = None if plain is None or imitated is None else imitated - plain
        rows.append(KindRow(kind, MEANINGS[kind], counts, change))
    return rows
