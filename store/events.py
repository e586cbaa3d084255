"""Appending to a job's history, and reading it. Appends need the job's row locked, so that sequences have no gaps.

After the commit PostgreSQL tells listeners on the channel `fgfi_job` the job's id. It is only a hint: a reader asks
again for events after the last sequence it saw (`events_after`), and misses nothing when a hint is lost.
"""

from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass, field

import psycopg
from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session

from store import webhook_events
from store.errors import NotFound
from store.settings import Settings
from store.states import JobState
from store.tables import Job, JobEvent
from store.tables.base import Json

CHANNEL = "fgfi_job"


@dataclass(frozen=True)
class NewEvent:
    """An event before it has its sequence."""

    kind: str
    data: Json = field(default_factory=dict)


def append(session: Session, job: Job, events: Iterable[NewEvent]) -> None:
    """Append events to a job whose row this transaction holds, and wake the listeners."""
    rows = [
        {
            "job_id": job.id,
            "sequence": sequence,
            "attempt": job.current_attempt,
            "kind": event.kind,
            "data": event.data,
        }
        for sequence, event in enumerate(events, start=job.last_sequence + 1)
    ]
    if rows:
        session.execute(insert(JobEvent), rows)
        job.last_sequence += len(rows)
    notify(session, job.id)


def move(session: Session, job: Job, state: JobState, message: str) -> None:
    """Move a locked job to another state and write the event of it. The database refuses illegal moves."""
    before, job.state = job.state, state
    session.flush()
    append(session, job, [NewEvent("state", {"from": before, "to": state, "message": message})])
    webhook_events.job_moved(session, job, state)


def notify(session: Session, job_id: str) -> None:
    """Wake whoever watches this job, once this transaction is committed."""
    session.execute(select(func.pg_notify(CHANNEL, job_id)))


def events_after(
    session: Session, project_id: str, job_id: str, after: int = 0, *, kinds: Sequence[str] = (), limit: int = 500
) -> Sequence[JobEvent]:
    """The job's events with a sequence above `after`, oldest first, of some kinds or of all.

    Raises NotFound for a job of another project.
    """
    if session.scalar(select(Job.id).where(Job.id == job_id, Job.project_id == project_id)) is None:
        raise NotFound(f"there is no job '{job_id}'")
    query = select(JobEvent).where(JobEvent.job_id == job_id, JobEvent.sequence > after)
    if kinds:
        query = query.where(JobEvent.kind.in_(kinds))
    return session.scalars(query.order_by(JobEvent.sequence).limit(limit)).all()


async def changes(settings: Settings, *, idle_seconds: float = 15.0) -> AsyncIterator[str]:
    """Yield ids of jobs that changed, and '' after each idle while, on a connection of its own (outside the pool).

    One listener serves a whole API process. Raises `psycopg.OperationalError` when the connection is lost: start anew,
    and ask every watched job once, for hints may have been missed.
    """
    connection = await psycopg.AsyncConnection.connect(settings.psycopg_url, autocommit=True, connect_timeout=5)
    async with connection:
        await connection.execute(f"LISTEN {CHANNEL}")
        while True:
            heard = False
            async for hint in connection.notifies(timeout=idle_seconds, stop_after=1):
                heard = True
                yield hint.payload
            if not heard:
                yield ""
