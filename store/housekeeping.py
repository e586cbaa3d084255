"""Rows that have served their time."""

from sqlalchemy import delete, func, text
from sqlalchemy.orm import Session

from store.tables import IdempotencyKey


def expire_idempotency_keys(session: Session) -> None:
    """Drop idempotency keys past their time."""
    session.execute(delete(IdempotencyKey).where(IdempotencyKey.expires_at <= func.clock_timestamp()))


_SUM_COUNTS = text("""
    WITH several AS (
        SELECT project_id, state FROM job_counts GROUP BY project_id, state HAVING count(*) > 1 OR sum(jobs) = 0
    ),
    taken AS (
        DELETE FROM job_counts USING several
        WHERE job_counts.project_id = several.project_id AND job_counts.state = several.state
        RETURNING job_counts.project_id, job_counts.state, job_counts.jobs
    )
    INSERT INTO job_counts (project_id, state, jobs)
    SELECT project_id, state, sum(jobs) FROM taken GROUP BY project_id, state HAVING sum(jobs) <> 0
""")


def sum_counts(session: Session) -> None:
    """Make one row of the changes in each number of jobs. Two at once are fine: each sums what the other left."""
    session.execute(_SUM_COUNTS)
