"""The lease: how an attempt gets a job, keeps it, and proves that it still has it.

Every write of an attempt goes through `fence`: it holds the job's row, then the attempt's, and checks job, attempt
number, token, not ended, not expired, by the database's clock. A failed check raises LeaseLost and nothing is written.
Since the reaper takes the same locks, a fenced transaction is either wholly before the loss of its lease or not at all.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import ColumnElement, func, literal, select, text, update
from sqlalchemy.orm import Session

from store import events, webhook_events
from store.errors import LeaseLost
from store.tables import Attempt, Job


@dataclass(frozen=True)
class Lease:
    """The right to write for one attempt."""

    job_id: str
    attempt: int
    token: str


@dataclass(frozen=True)
class Claim:
    """A job taken, with its lease."""

    lease: Lease
    job: Job


@dataclass(frozen=True)
class Pulse:
    """The reply to a heartbeat: what the user wants of this job meanwhile."""

    cancel: bool
    pause: bool


# One statement: the move to `running` and the attempt with its lease come to be together or not at all. Where another
# is at the job already, it does not wait to see what becomes of it.
_CLAIM = text("""
    WITH taken AS (
        UPDATE jobs
        SET state = 'running', current_attempt = current_attempt + 1,
            started_at = coalesce(started_at, clock_timestamp()), progress = NULL
        WHERE id = (
            SELECT jobs.id FROM unnest(CAST(:job_ids AS text[])) WITH ORDINALITY AS asked (id, place)
            JOIN jobs ON jobs.id = asked.id
            WHERE state = 'queued' AND cancel_requested_at IS NULL AND available_at <= clock_timestamp()
            ORDER BY place LIMIT 1
            FOR NO KEY UPDATE OF jobs SKIP LOCKED
        )
        RETURNING id, current_attempt, micro_batch
    )
    INSERT INTO attempts (job_id, number, lease_token, worker_id, device, lease_expires_at, micro_batch)
    SELECT id, current_attempt, :token, :worker_id, :device, clock_timestamp() + :lease, micro_batch FROM taken
    RETURNING job_id, number
""")


def claim(
    session: Session, job_id: str, *, worker_id: str, lease: timedelta, device: str | None = None
) -> Claim | None:
    """Take a queued job for one attempt. None: it is taken, cancelled, gone or not due, which is no error."""
    return claim_first(session, [job_id], worker_id=worker_id, lease=lease, device=device)


def claim_first(
    session: Session, job_ids: Sequence[str], *, worker_id: str, lease: timedelta, device: str | None = None
) -> Claim | None:
    """Take the first of these jobs that can be had, as `claim` does. None: none of them can."""
    token = secrets.token_hex(16)
    values = {"job_ids": list(job_ids), "token": token, "worker_id": worker_id, "device": device, "lease": lease}
    taken = session.execute(_CLAIM, values).one_or_none()
    if taken is None:
        return None
    job_id, number = taken
    job = session.get_one(Job, job_id, populate_existing=True)
    moved = {"from": "queued", "to": "running", "message": f"Attempt {number} began."}
    events.append(session, job, [events.NewEvent("state", moved)])
    webhook_events.job_moved(session, job, "running")
    session.flush()
    return Claim(Lease(job_id, number, token), job)


def heartbeat(session: Session, lease: Lease, duration: timedelta) -> Pulse | None:
    """Renew a lease that has not expired. None: it is lost, and the child must be killed at once.

    Takes the attempt's row alone, so that it never waits for a long write of the job.
    """
    # First the lock, then the check in a statement of its own: a statement that waited for its lock may hold an
    # outdated idea of the time.
    session.execute(select(Attempt.number).where(*own(lease)).with_for_update(key_share=True))
    renewed = session.scalar(
        update(Attempt)
        .where(*alive(lease))
        .values(lease_expires_at=func.clock_timestamp() + duration, heartbeat_at=func.clock_timestamp())
        .returning(literal(1))
    )
    if renewed is None:
        return None
    return pulse_of(session.scalars(select(Job.state).where(Job.id == lease.job_id)).one())


def pulse_of(state: str) -> Pulse:
    """What the user wants of a job in this state."""
    return Pulse(cancel=state == "cancelling", pause=state == "pausing")


def fence(session: Session, lease: Lease) -> Job:
    """Hold the job for this transaction. Raises LeaseLost unless the lease is alive and of the current attempt."""
    job = session.scalar(
        select(Job)
        .where(Job.id == lease.job_id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    session.execute(select(Attempt.number).where(*own(lease)).with_for_update(key_share=True))
    holds = session.scalar(select(literal(1)).where(*alive(lease)))
    if job is None or holds is None or job.current_attempt != lease.attempt:
        raise LeaseLost(f"attempt {lease.attempt} no longer holds job '{lease.job_id}'")
    return job


def own(lease: Lease) -> tuple[ColumnElement[bool], ...]:
    """The conditions that name this lease's attempt."""
    return Attempt.job_id == lease.job_id, Attempt.number == lease.attempt, Attempt.lease_token == lease.token


def alive(lease: Lease) -> tuple[ColumnElement[bool], ...]:
    """The conditions under which this lease still holds."""
    return *own(lease), Attempt.ended_at.is_(None), Attempt.lease_expires_at > func.clock_timestamp()
