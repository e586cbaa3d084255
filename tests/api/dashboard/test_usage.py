"""What the page of usage shows, before any HTML."""

from datetime import UTC, date, datetime

import pytest

from api.dashboard.views.usage import usage_view
from store.limits import Limits
from store.usage import Usage

NOW = datetime(2026, 1, 15, tzinfo=UTC)


def used(limits: Limits, by_day: dict[date, float] | None = None) -> Usage:
    return Usage(
        limits=limits,
        jobs=9,
        by_state={"running": 2, "queued": 7, "failed": 0},
        bytes={"datasets": 900_000_000, "models": 0, "uploads": 0},
        results=5_000,
        device_hours=12.5,
        since=NOW,
        until=NOW,
        by_day=by_day or {},
    )


@pytest.mark.parametrize(("jobs", "kind"), [(100, "busy"), (10, "warn"), (9, "bad"), (0, "bad")])
def test_a_bar_says_how_near_the_limit_is(jobs: int, kind: str) -> None:
    assert usage_view(used(Limits(jobs=jobs))).quotas[0].kind == kind


def test_without_a_limit_there_is_no_bar() -> None:
    assert [(one.share, one.limit) for one in usage_view(used(Limits())).quotas] == [(None, "")] * 3


def test_states_without_a_job_are_left_out() -> None:
    assert usage_view(used(Limits())).states == {"running": 2, "queued": 7}


def test_the_fullest_day_fills_the_picture() -> None:
    view = usage_view(used(Limits(), {date(2026, 1, 1): 1.0, date(2026, 1, 2): 4.0, date(2026, 1, 3): 0.0}))
    assert [(one.y, one.height) for one in view.days] == [(75.0, 25.0), (0.0, 100.0), (100.0, 0.0)]
    assert (view.most, view.total) == (4.0, 5.0)
    assert all(one.x >= 0 and one.x + one.width <= 100 for one in view.days)


def test_days_without_use_draw_nothing_and_divide_by_nothing() -> None:
    assert [one.height for one in usage_view(used(Limits(), {date(2026, 1, 1): 0.0})).days] == [0.0]
