"""How the service is, in a few numbers, for whoever watches it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from store import workers
from store.tables import Attempt, Job, Outbox

LATELY = timedelta(hours=1)


@dataclass(frozen=True)
class Queue:
    """jobs: that are due in it. oldest: seconds that the first of them has waited. idle: workers that could take it."""

    jobs: int
    oldest: float
    idle: int


@dataclass(frozen=True)
class Vitals:
    """queues: by name, those that hold something or that an idle worker serves. losses: of the last hour, by reason.

    outbox: seconds that the oldest message has waited to be sent. troubled: workers that take nothing for a fault.
    """

    queues: Mapping[str, Queue]
    losses: Mapping[str, int]
    outbox: float
    workers: int
    troubled: int


def vitals(session: Session) -> Vitals:
    """As it is now."""
    now = func.clock_timestamp()
    due = select(Job.queue, func.count(), func.extract("epoch", now - func.min(Job.available_at)))
    due = due.where(Job.state == "queued", Job.available_at <= now).group_by(Job.queue)
    waiting = {queue: (int(jobs), float(oldest)) for queue, jobs, oldest in session.execute(due)}
    live = workers.list_live(session)
    idle = [worker for worker in live if worker.job_id is None and worker.trouble is None]
    names = {*waiting, *(queue for worker in idle for queue in worker.queues)}
    since = select(now - LATELY).scalar_subquery()
    lost = select(Attempt.reason, func.count()).where(Attempt.outcome == "lost", Attempt.ended_at > since)
    lost = lost.group_by(Attempt.reason)
    late = select(func.extract("epoch", now - func.min(Outbox.available_at)))
    late = late.where(Outbox.published_at.is_(None), Outbox.available_at <= now)
    return Vitals(
        queues={
            name: Queue(*waiting.get(name, (0, 0.0)), sum(name in worker.queues for worker in idle)) for name in names
        },
        losses={reason or "unknown": int(count) for reason, count in session.execute(lost)},
        outbox=float(session.scalar(late) or 0.0),
        workers=len(live),
        troubled=sum(worker.trouble is not None for worker in live),
    )
