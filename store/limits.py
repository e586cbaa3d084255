"""What a project may use: jobs at once, bytes, device hours a month. The operator sets it for all, or for one project.

Each limit holds in the transaction that would go beyond it: those of a project that has one pass one by one.
"""

from dataclasses import dataclass, fields
from datetime import datetime

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from store.errors import DeviceHoursSpent, NotFound, TooManyJobs
from store.quota import in_turn
from store.settings import Settings
from store.states import JOB_STATES, is_terminal
from store.tables import Job, Project

_KEY = "limits"
_ALIVE = tuple(state for state in JOB_STATES if not is_terminal(state))

# Attempts under way count up to now; one that began last month counts from this month's first second.
_SECONDS = text("""
    SELECT coalesce(sum(
        extract(epoch FROM coalesce(attempts.ended_at, clock_timestamp()) - greatest(attempts.started_at, :since))
    ), 0)
    FROM attempts JOIN jobs ON jobs.id = attempts.job_id
    WHERE jobs.project_id = :project_id AND (attempts.ended_at IS NULL OR attempts.ended_at > :since)
""")


@dataclass(frozen=True)
class Limits:
    """None: no limit. jobs: that are not over. device_hours: in a calendar month, by UTC."""

    jobs: int | None = None
    bytes: int | None = None
    device_hours: float | None = None

    @classmethod
    def of_settings(cls, settings: Settings) -> "Limits":
        """Those of every project that has none of its own."""
        return cls(settings.project_jobs, settings.project_bytes, settings.project_device_hours)


def defaults(session: Session) -> Limits:
    """What `database.make_sessions` was told to be the limits of all projects."""
    found: Limits = session.info.get(_KEY, Limits())
    return found


def info(limits: Limits) -> dict[str, object]:
    """The defaults as sessions carry them."""
    return {_KEY: limits}


def of_project(session: Session, project_id: str) -> Limits:
    """A project's own limits, and the defaults where it has none. Raises NotFound."""
    row = session.get(Project, project_id)
    if row is None:
        raise NotFound(f"there is no project '{project_id}'")
    own = Limits(row.max_jobs, row.max_bytes, row.max_device_hours)
    general = defaults(session)
    return Limits(
        **{
            field.name: getattr(general, field.name) if getattr(own, field.name) is None else getattr(own, field.name)
            for field in fields(Limits)
        }
    )


def require_job(session: Session, project_id: str, more: int = 1) -> None:
    """Let a project have `more` jobs, in the transaction that queues them. Raises TooManyJobs, DeviceHoursSpent."""
    limits = of_project(session, project_id)
    if limits.jobs is None and limits.device_hours is None:
        return
    in_turn(session, project_id)
    if limits.jobs is not None:
        there = active_jobs(session, project_id)
        if there + more > limits.jobs:
            raise TooManyJobs(
                f"the project has {there} jobs that are not over, and may have {limits.jobs}",
                hint="Wait until some are done or cancel them, or ask the operator for a higher limit.",
            )
    if limits.device_hours is not None:
        since, until = month(session)
        spent = device_hours(session, project_id, since)
        if spent >= limits.device_hours:
            raise DeviceHoursSpent(
                f"the project has used {spent:.1f} of its {limits.device_hours:g} device hours of this month",
                hint=f"A new month begins at {until:%Y-%m-%dT%H:%M:%SZ}; or ask the operator for a higher limit.",
            )


def active_jobs(session: Session, project_id: str) -> int:
    """Jobs that are not over: waiting, running or resting."""
    query = select(func.count()).where(Job.project_id == project_id, Job.state.in_(_ALIVE))
    return session.scalars(query).one()


def device_hours(session: Session, project_id: str, since: datetime) -> float:
    """How long the project's attempts have held a device since then, in hours."""
    seconds = session.scalars(_SECONDS, {"project_id": project_id, "since": since}).one()
    return float(seconds) / 3600


def month(session: Session) -> tuple[datetime, datetime]:
    """The beginning of this month and of the next, by the database's clock and UTC."""
    query = text("SELECT date_trunc('month', now(), 'UTC'), date_trunc('month', now(), 'UTC') + interval '1 month'")
    since, until = session.execute(query).one()
    return since, until
