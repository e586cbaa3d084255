"""What a project uses now, against its limits, and its device hours day by day."""

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from store import limits, quota
from store.jobs import count_by_state
from store.limits import Limits
from store.tables import Artifact, Checkpoint, Job

DAYS = 30

# An attempt over midnight counts on each of its days with the hours it had there.
_BY_DAY = text("""
    WITH days AS (
        SELECT day, day + interval '1 day' AS next FROM generate_series(
            date_trunc('day', now(), 'UTC') - make_interval(days => :days - 1), date_trunc('day', now(), 'UTC'), '1 day'
        ) AS day
    ),
    tries AS (
        SELECT attempts.started_at, coalesce(attempts.ended_at, clock_timestamp()) AS ended_at
        FROM attempts JOIN jobs ON jobs.id = attempts.job_id
        WHERE jobs.project_id = :project_id
          AND (attempts.ended_at IS NULL OR attempts.ended_at > (SELECT min(day) FROM days))
    )
    SELECT (days.day AT TIME ZONE 'UTC')::date, coalesce(sum(
        extract(epoch FROM least(tries.ended_at, days.next) - greatest(tries.started_at, days.day))
    -- Of nothing and a day, the day is the least: one without a try would count in full.
    ) FILTER (WHERE tries.started_at IS NOT NULL), 0) / 3600
    FROM days LEFT JOIN tries ON tries.started_at < days.next AND tries.ended_at > days.day
    GROUP BY days.day ORDER BY days.day
""")


@dataclass(frozen=True)
class Usage:
    """A project's use. bytes: of data sets, models and uploads, which its limit is on. results: bytes that jobs made.

    device_hours: of this month, which ends at `until`. by_day: of the last thirty, today last.
    """

    limits: Limits
    jobs: int
    by_state: dict[str, int]
    bytes: dict[str, int]
    results: int
    device_hours: float
    since: datetime
    until: datetime
    by_day: dict[date, float]


def of_project(session: Session, project_id: str) -> Usage:
    """Count it all. Raises NotFound."""
    since, until = limits.month(session)
    by_day = session.execute(_BY_DAY, {"project_id": project_id, "days": DAYS})
    return Usage(
        limits=limits.of_project(session, project_id),
        jobs=limits.active_jobs(session, project_id),
        by_state=count_by_state(session, project_id),
        bytes=quota.by_kind(session, project_id),
        results=_results(session, project_id),
        device_hours=limits.device_hours(session, project_id, since),
        since=since,
        until=until,
        by_day={day: float(hours) for day, hours in by_day},
    )


def _results(session: Session, project_id: str) -> int:
    sums = (
        select(func.sum(table.size)).join(Job, Job.id == table.job_id).where(Job.project_id == project_id)
        for table in (Artifact, Checkpoint)
    )
    return sum(int(session.scalars(query).one() or 0) for query in sums)
