"""Ending attempts whose worker was not heard of: the job is queued again, rests, or fails when its budget is spent."""

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from store.attempts import Budget, Trace, end_lost
from store.leases import Lease
from store.states import JobState
from store.tables import Attempt, Job


def reap(session: Session, budget: Budget, limit: int = 20) -> list[tuple[str, JobState]]:
    """End attempts whose lease expired; returns (job id, state) of each. Two reapers at once do no harm."""
    expired = (
        select(Job)
        .join(Attempt, (Attempt.job_id == Job.id) & (Attempt.number == Job.current_attempt))
        .where(Attempt.ended_at.is_(None), Attempt.lease_expires_at <= func.clock_timestamp())
        .order_by(Job.id)
        .limit(limit)
        .with_for_update(of=Job, key_share=True, skip_locked=True)
        .execution_options(populate_existing=True)
    )
    reaped: list[tuple[str, JobState]] = []
    for job in session.scalars(expired).all():
        # A heartbeat takes the attempt's row alone: it may have come in between.
        attempt = session.scalar(
            select(Attempt)
            .where(Attempt.job_id == job.id, Attempt.number == job.current_attempt)
            .with_for_update(key_share=True)
            .execution_options(populate_existing=True)
        )
        now = session.scalar(select(func.clock_timestamp()))
        if attempt is None or now is None or attempt.ended_at is not None or attempt.lease_expires_at > now:
            continue
        lease = Lease(job.id, attempt.number, attempt.lease_token)
        trace = Trace(f"Worker {attempt.worker_id} was not heard of for too long.", reason="lease_expired")
        reaped.append((job.id, end_lost(session, job, lease, budget, trace)))
    return reaped
