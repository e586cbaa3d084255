"""Groups: the list, and how the arms of one stand beside each other, with the intervals of what imitation won."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from api.dashboard.views.compare import LEAST, MOST, address
from api.dashboard.views.progress import TITLES
from api.schemas.groups import ArmOut, GroupOut, GroupSummary
from api.scores import ROLES, Role

# Points that the axis spans at least, so that noise does not look like triumph.
LEAST_SPAN = 0.02
STEPS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5)
MOST_TICKS = 7


@dataclass(frozen=True)
class GroupRow:
    """One group in the list."""

    id: str
    name: str
    arms: int
    states: Mapping[str, int]
    created_at: datetime


@dataclass(frozen=True)
class Interval:
    """What imitation won: places on the axis in percent of its width. seeds: one of each. final: the job is over."""

    mean: float
    at: float
    low: float | None
    high: float | None
    seeds: tuple[float, ...]
    final: bool
    words: str


@dataclass(frozen=True)
class Arm:
    """One arm. changes: as text. best: roles in which no other arm is better."""

    label: str
    changes: str
    job_id: str | None
    state: str
    note: str
    values: Mapping[Role, float | None]
    best: frozenset[Role]
    closed: float | None
    interval: Interval | None


@dataclass(frozen=True)
class GroupView:
    """The page of one group. ticks: (place, label) on the axis of gains; zero: where it is. compare: or None."""

    id: str
    name: str
    over: bool
    states: Mapping[str, int]
    differs: tuple[str, ...]
    fair: bool
    arms: tuple[Arm, ...]
    ticks: tuple[tuple[float, str], ...]
    zero: float
    compare: str | None
    created_at: datetime


def group_row(group: GroupSummary) -> GroupRow:
    """A line of the list."""
    return GroupRow(group.id, group.name, group.arms, _counts(group), group.created_at)


def group_view(group: GroupOut) -> GroupView:
    """Put the page together."""
    gains = [_gain(arm) for arm in group.summary]
    low, high = _ends([value for gain in gains if gain for value in gain.all()])
    best = _best(group.summary)
    ids = [arm.job_id for arm in group.summary if arm.job_id]
    return GroupView(
        id=group.id,
        name=group.name,
        over=group.over,
        states=_counts(group),
        differs=tuple(group.differs),
        fair=group.fair,
        arms=tuple(
            _arm(arm, best, gain.placed(low, high) if gain else None)
            for arm, gain in zip(group.summary, gains, strict=True)
        ),
        ticks=tuple(
            (_place(value, low, high), f"{100 * value:+g}".replace("-", "\N{MINUS SIGN}"))
            for value in _ticks(low, high)
        ),
        zero=_place(0.0, low, high),
        compare=address(ids) if LEAST <= len(ids) <= MOST else None,
        created_at=group.created_at,
    )


def _counts(group: GroupSummary) -> dict[str, int]:
    return {str(state): count for state, count in group.states.items()}


@dataclass(frozen=True)
class _Gain:
    mean: float
    low: float | None
    high: float | None
    seeds: tuple[float, ...]
    final: bool

    def all(self) -> list[float]:
        return [value for value in (self.mean, self.low, self.high, *self.seeds) if value is not None]

    def placed(self, low: float, high: float) -> Interval:
        ends = [None if end is None else _place(end, low, high) for end in (self.low, self.high)]
        return Interval(
            mean=self.mean,
            at=_place(self.mean, low, high),
            low=ends[0],
            high=ends[1],
            seeds=tuple(_place(one, low, high) for one in self.seeds),
            final=self.final,
            words=self._words(),
        )

    def _words(self) -> str:
        text = f"{100 * self.mean:+.1f} points"
        if self.low is not None and self.high is not None:
            text += f", 95 % interval {100 * self.low:+.1f} to {100 * self.high:+.1f} over {len(self.seeds)} seeds"
        return (text if self.final else f"{text} so far").replace("-", "\N{MINUS SIGN}")


def _gain(arm: ArmOut) -> _Gain | None:
    """As the finished job says it; before, of the best so far."""
    if arm.gain:
        return _Gain(arm.gain.mean, arm.gain.low, arm.gain.high, tuple(arm.gain.differences), final=True)
    plain, imitated = arm.scores.plain, arm.scores.imitated
    return None if plain is None or imitated is None else _Gain(imitated - plain, None, None, (), final=False)


def _arm(arm: ArmOut, best: Mapping[Role, float], interval: Interval | None) -> Arm:
    values: dict[Role, float | None] = {role: getattr(arm.scores, role) for role in ROLES}
    return Arm(
        label=arm.label,
        changes=", ".join(_changes(arm.changes)) or "the base",
        job_id=arm.job_id,
        state=arm.state or "deleted",
        note=_note(arm),
        values=values,
        best=frozenset(
            role for role, value in values.items() if value is not None and best.get(role) == round(value, 3)
        ),
        closed=arm.scores.gap_closed,
        interval=interval,
    )


def _note(arm: ArmOut) -> str:
    if arm.error:
        return str(arm.error.get("message", ""))
    return TITLES.get(arm.stage or "", "") if arm.state == "running" else ""


def _best(arms: Sequence[ArmOut]) -> dict[Role, float]:
    """Of each role the best value as it is written, where the arms differ in it."""
    found: dict[Role, float] = {}
    for role in ROLES:
        values = {round(value, 3) for arm in arms if (value := getattr(arm.scores, role)) is not None}
        if len(values) > 1:
            found[role] = max(values)
    return found


def _changes(changes: Mapping[str, Any], path: str = "") -> list[str]:
    found: list[str] = []
    for name, value in changes.items():
        found += _changes(value, f"{path}{name}.") if isinstance(value, Mapping) else [f"{path}{name}={value}"]
    return found


def _ends(values: Sequence[float]) -> tuple[float, float]:
    """The ends of the axis; zero is always on it."""
    low, high = min([0.0, *values]), max([0.0, *values])
    missing = max(0.0, LEAST_SPAN - (high - low)) / 2
    room = 0.08 * (high - low + 2 * missing)
    return low - missing - room, high + missing + room


def _place(value: float, low: float, high: float) -> float:
    return round(100 * (value - low) / (high - low), 2)


def _ticks(low: float, high: float) -> list[float]:
    step = next((step for step in STEPS if (high - low) / step <= MOST_TICKS), 1.0)
    first = int(low / step) - 1
    return [round(step * n, 4) for n in range(first, first + MOST_TICKS + 4) if low <= step * n <= high]
