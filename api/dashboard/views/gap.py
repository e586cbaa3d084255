"""The picture of the gap: a line from the plain student to the teacher, and where the imitated student stands on it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from api.scores import ROLES, Role, Scores

# A gap of less than two points is drawn as wide as one of two, so that noise does not look like triumph.
LEAST_SPAN = 0.02
MARGIN = 0.12
LABEL_WIDTH = 16.0  # Of the line, at its narrowest.


@dataclass(frozen=True)
class Mark:
    """One role on the line. x: [0, 100]. below, anchor: where its label stands so that it covers no neighbour's."""

    role: Role
    value: float
    x: float
    below: bool
    anchor: Literal["start", "middle", "end"]


@dataclass(frozen=True)
class Gap:
    """The line and its marks. `won`: the stretch from plain up to imitated, in x, when there is one."""

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
    marks = tuple(
        Mark(role, value, round(place[role], 2), below=role == "imitated", anchor=_anchor(role, place))
        for role, value in found
    )
    gained = place.get("imitated", 0.0) > place.get("plain", 100.0)
    won = (round(place["plain"], 2), round(place["imitated"], 2)) if gained else None
    return Gap(marks, won, scores.gap_closed)


def _anchor(role: Role, place: Mapping[Role, float]) -> Literal["start", "middle", "end"]:
    """Teacher and plain stand above the line: when they are close, their labels point away from one another."""
    other: dict[Role, Role] = {"teacher": "plain", "plain": "teacher"}
    neighbour = place.get(other[role]) if role in other else None
    if neighbour is None or abs(place[role] - neighbour) >= LABEL_WIDTH:
        return "middle"
    return "end" if place[role] < neighbour or (place[role] == neighbour and role == "plain") else "start"
