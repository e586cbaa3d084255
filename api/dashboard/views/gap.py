"""The picture of the gap: a line from the plain student to the teacher, and where the imitated student stands on it."""

from dataclasses import dataclass

from api.scores import ROLES, Role, Scores

# A gap of less than two points is drawn as wide as one of two, so that noise does not look like triumph.
LEAST_SPAN = 0.02
MARGIN = 0.12


@dataclass(frozen=True)
class Mark:
    """One role on the line. x: [0, 100]. below: its label stands under the line, for it would cover its neighbour's."""

    role: Role
    value: float
    x: float
    below: bool


@dataclass(frozen=True)
class Gap:
    """The line and its marks. `won`: the stretch from plain to imitated, in x; None while one of them is missing."""

    marks: tuple[Mark, ...]
    won: tuple[float, float] | None
    closed: float | None


def gap(scores: Scores) -> Gap | None:
    """Lay the known scores out on one line; None when there is none."""
    known: dict[Role, float | None] = {role: getattr(scores, role) for role in ROLES}
    found = [(role, value) for role, value in known.items() if value is not None]
    if not found:
        return None
    low, high = min(value for _, value in found), max(value for _, value in found)
    missing = max(0.0, LEAST_SPAN - (high - low)) / 2
    low, high = low - missing, high + missing
    margin = MARGIN * (high - low)
    low, high = low - margin, high + margin
    place = {role: 100 * (value - low) / (high - low) for role, value in found}
    marks = tuple(Mark(role, value, round(place[role], 2), below=role == "imitated") for role, value in found)
    won = (round(place["plain"], 2), round(place["imitated"], 2)) if {"plain", "imitated"} <= place.keys() else None
    return Gap(marks, won, scores.gap_closed)
