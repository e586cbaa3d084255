"""The page of usage: what the project uses of its limits, and its device hours day by day."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from api.dashboard.render import size
from store.usage import Usage

NEAR = 0.85
CHART_HEIGHT = 100.0
KINDS = {"datasets": "Data sets", "models": "Models", "uploads": "Uploads under way"}


@dataclass(frozen=True)
class Quota:
    """One limit. share: of it that is used, None without a limit. kind: how its bar looks."""

    title: str
    used: str
    limit: str
    share: float | None
    kind: Literal["busy", "warn", "bad"]
    note: str


@dataclass(frozen=True)
class DayBar:
    """Device hours of one day. x, y, height: of its bar, percent of the picture."""

    day: date
    hours: float
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True)
class UsageView:
    """The page. most: hours of the fullest day. parts: kinds of bytes and how many."""

    quotas: tuple[Quota, ...]
    states: Mapping[str, int]
    parts: tuple[tuple[str, str], ...]
    days: tuple[DayBar, ...]
    most: float
    total: float
    month_ends: datetime


def usage_view(usage: Usage) -> UsageView:
    """Put the page together."""
    limits = usage.limits
    kept = sum(usage.bytes.values())
    hours = list(usage.by_day.values())
    parts = [(KINDS.get(kind, kind), size(count)) for kind, count in usage.bytes.items()]
    return UsageView(
        quotas=(
            _quota("Jobs", usage.jobs, limits.jobs, f"{usage.jobs:,}", _count(limits.jobs), "that are not over"),
            _quota("Stored", kept, limits.bytes, size(kept), _size(limits.bytes), "data sets, models and uploads"),
            _quota(
                "Device hours",
                usage.device_hours,
                limits.device_hours,
                f"{usage.device_hours:.1f}",
                "" if limits.device_hours is None else f"{limits.device_hours:,.0f}",
                "this month",
            ),
        ),
        states={state: count for state, count in usage.by_state.items() if count},
        parts=(*parts, ("What jobs made, no limit", size(usage.results))),
        days=tuple(_bars(usage.by_day)),
        most=max(hours, default=0.0),
        total=sum(hours),
        month_ends=usage.until,
    )


def _quota(title: str, used: float, limit: float | None, used_text: str, limit_text: str, note: str) -> Quota:
    share = None if limit is None else 1.0 if limit <= 0 else used / limit
    kind: Literal["busy", "warn", "bad"] = "busy"
    if share is not None and share >= NEAR:
        kind = "bad" if share >= 1 else "warn"
    return Quota(title, used_text, limit_text, share, kind, note)


def _count(limit: int | None) -> str:
    return "" if limit is None else f"{limit:,}"


def _size(limit: int | None) -> str:
    return "" if limit is None else size(limit)


def _bars(by_day: Mapping[date, float]) -> list[DayBar]:
    most = max(by_day.values(), default=0.0) or 1.0
    step = 100 / max(len(by_day), 1)
    bars = []
    for number, (day, hours) in enumerate(by_day.items()):
        height = round(CHART_HEIGHT * hours / most, 2)
        bars.append(
            DayBar(
                day, hours, round(number * step + step * 0.12, 2), CHART_HEIGHT - height, round(step * 0.76, 2), height
            )
        )
    return bars
