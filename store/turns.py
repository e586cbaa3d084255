"""Whose turn it is: by priority, then for the project with the fewest jobs running, then the oldest job."""

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from store.leases import Claim, claim_first
from store.queues import PRIORITIES, Placing
from store.tables import Job

# How many heads of the queue are looked at: the first few nearly always do, more only where others are at all of those.
GLANCE = 8
DEPTH = 32

# Steps from one (queue, priority, project) to the next by the index, so that a long queue takes no longer than a short
# one. Of each it takes the oldest due jobs; a project's second job counts as if its first were running already.
_NEXT = text("""
    WITH RECURSIVE lines AS (
        SELECT asked.queue, first.priority, first.project_id
        FROM unnest(CAST(:queues AS text[])) AS asked (queue)
        CROSS JOIN LATERAL (
            SELECT priority, project_id FROM jobs
            WHERE state = 'queued' AND queue = asked.queue
            ORDER BY priority, project_id LIMIT 1
        ) AS first
        UNION ALL
        SELECT lines.queue, next.priority, next.project_id
        FROM lines
        CROSS JOIN LATERAL (
            SELECT priority, project_id FROM jobs
            WHERE state = 'queued' AND queue = lines.queue
              AND (priority, project_id) > (lines.priority, lines.project_id)
            ORDER BY priority, project_id LIMIT 1
        ) AS next
    ),
    heads AS (
        SELECT head.id, head.created_at, lines.priority, lines.project_id,
               row_number() OVER (
                   PARTITION BY lines.project_id, lines.priority ORDER BY head.created_at, head.id
               ) AS place
        FROM lines
        CROSS JOIN LATERAL (
            SELECT id, created_at FROM jobs
            WHERE state = 'queued' AND queue = lines.queue AND priority = lines.priority
              AND project_id = lines.project_id AND available_at <= clock_timestamp() AND cancel_requested_at IS NULL
            ORDER BY created_at, id LIMIT :depth
        ) AS head
    ),
    busy AS (
        SELECT project_id, count(*) AS jobs FROM jobs
        WHERE state IN ('running', 'cancelling', 'pausing') GROUP BY project_id
    )
    SELECT heads.id FROM heads LEFT JOIN busy USING (project_id)
    ORDER BY heads.priority DESC, coalesce(busy.jobs, 0) + heads.place, heads.created_at, heads.id
    LIMIT :depth
""")


def next_jobs(session: Session, queues: Sequence[str], depth: int = DEPTH) -> Sequence[str]:
    """Ids of the jobs whose turn comes first in these queues, at most `depth`. Nothing is locked."""
    return session.scalars(_NEXT, {"queues": list(queues), "depth": depth}).all()


def count_ahead(session: Session, placing: Placing, most: int = 1000) -> int:
    """How many jobs, of whatever project, wait in this queue with at least this priority; counts no further than most.

    A project with fewer jobs running goes before others, so one of these may wait longer than a new one.
    """
    waiting = select(Job.id).where(
        Job.state == "queued", Job.queue == placing.queue, Job.priority >= PRIORITIES[placing.priority]
    )
    return session.scalar(select(func.count()).select_from(waiting.limit(most).subquery())) or 0


def count_waiting(session: Session, queue: str, project_id: str | None = None, most: int = 1000) -> int:
    """How many jobs wait in this queue, of one project or of all; counts no further than most."""
    waiting = select(Job.id).where(Job.state == "queued", Job.queue == queue)
    if project_id is not None:
        waiting = waiting.where(Job.project_id == project_id)
    return session.scalar(select(func.count()).select_from(waiting.limit(most).subquery())) or 0


def claim_next(session: Session, queues: Sequence[str], *, worker_id: str, lease: timedelta) -> Claim | None:
    """Take the job whose turn it is. None: nothing is due in these queues, or others are taking all of it."""
    for depth in (GLANCE, DEPTH):
        taken = claim_first(session, next_jobs(session, queues, depth), worker_id=worker_id, lease=lease)
        if taken is not None:
            return taken
    return None


def still_waits(session: Session, job_id: str, queues: Sequence[str]) -> bool:
    """Whether this job waits for its turn in one of these queues."""
    query = select(Job.id).where(
        Job.id == job_id,
        Job.state == "queued",
        Job.queue.in_(queues),
        Job.available_at <= func.clock_timestamp(),
        Job.cancel_requested_at.is_(None),
    )
    return session.scalar(query) is not None


def queue_of_job(session: Session, job_id: str) -> str | None:
    """The queue this job waits in; None when there is no such job."""
    return session.scalar(select(Job.queue).where(Job.id == job_id))
